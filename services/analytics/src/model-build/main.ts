/**
 * Builds the default model. Run as `npm run build:model`; development commands:
 *   --calibrate VIDEO...   finds the activation ranges anew and writes models/coco-ssd.calibration.json
 *   --agreement VIDEO...   measures the int8 model against the float one
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HuishiError, messageOf } from "@huishi/kernel";
import {
  findModel,
  loadModel,
  readModelRegistry,
  registryPath,
  sha256Of,
} from "../adapters/model-registry/index.ts";
import { OnnxDetector } from "../adapters/onnxruntime/index.ts";
import type { ModelRecord } from "../application/detection/model-record.ts";
import { measureAgreement } from "./agreement.ts";
import { calibrate, type CalibrationPicture } from "./calibrate.ts";
import { buildNetwork, loadCocoSsd } from "./coco-ssd.ts";
import { exportFloat } from "./export-float.ts";
import { type CalibrationTable, exportInt8 } from "./export-int8.ts";
import { sampleFrames, sampleRegions, type Sampling } from "./sample-frames.ts";

const modelId = "coco-ssd-int8";
const calibrationPath = join(dirname(registryPath), "coco-ssd.calibration.json");
const calibrationSampling: Sampling = { everySeconds: 2, offsetSeconds: 0 };
/** Other moments than those of the calibration. */
const agreementSampling: Sampling = { everySeconds: 1.5, offsetSeconds: 0.7 };

async function build(record: ModelRecord): Promise<void> {
  if (await isBuilt()) {
    say(`${record.file} is up to date`);
    return;
  }
  say("reading and checking the weights");
  const network = buildNetwork(await loadCocoSsd());
  say(`converting ${network.layers.length} layers to int8 ONNX`);
  const bytes = exportInt8(network, await readCalibration());
  const actual = sha256Of(bytes);
  if (actual !== record.sha256) {
    throw new HuishiError(
      "MODEL_BUILD_DIFFERS",
      `The build gave sha256 ${actual}, but models/registry.json pins ${record.sha256 || "nothing"}: if the converter or the calibration was changed on purpose, pin the new one.`,
    );
  }
  await writeWhole(join(dirname(registryPath), record.file), bytes);
  say(`wrote ${record.file}, ${(bytes.byteLength / 1e6).toFixed(2)} MB`);
}

async function isBuilt(): Promise<boolean> {
  try {
    await loadModel({ modelId });
    return true;
  } catch {
    return false;
  }
}

async function runCalibration(files: readonly string[]): Promise<void> {
  const network = buildNetwork(await loadCocoSsd());
  const pictures = await collectPictures(files, calibrationSampling);
  say(`calibrating on ${pictures.length} pictures`);
  const table = await calibrate(network, pictures);
  const lines = Object.entries(table).map(
    ([name, range]) => `  ${JSON.stringify(name)}: ${JSON.stringify(range)}`,
  );
  await writeWhole(calibrationPath, `{\n${lines.join(",\n")}\n}\n`);
  say(`wrote the ranges; the model's sha256 is now ${sha256Of(exportInt8(network, table))}`);
}

async function runAgreement(files: readonly string[], record: ModelRecord): Promise<void> {
  const network = buildNetwork(await loadCocoSsd());
  const pictures = await collectPictures(files, agreementSampling);
  const reference = await OnnxDetector.open({ record, bytes: exportFloat(network, { probes: false }) });
  const detector = await OnnxDetector.open({ record, bytes: exportInt8(network, await readCalibration()) });
  say(JSON.stringify(await measureAgreement(reference, detector, pictures), null, 2));
  await Promise.all([reference.close(), detector.close()]);
}

async function collectPictures(files: readonly string[], sampling: Sampling): Promise<CalibrationPicture[]> {
  if (files.length === 0) throw new HuishiError("MODEL_BUILD_USAGE", "Name at least one video or picture.");
  const frames = (await Promise.all(files.map((file) => sampleFrames(file, sampling)))).flat();
  return frames.flatMap((frame) => sampleRegions(frame).map((region) => ({ frame, region })));
}

async function readCalibration(): Promise<CalibrationTable> {
  return JSON.parse(await readFile(calibrationPath, "utf8")) as CalibrationTable;
}

/** Under another name first: a build that was stopped half way leaves no half file under the right one. */
async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}

function say(line: string): void {
  process.stdout.write(`model: ${line}\n`);
}

async function main([command, ...files]: readonly string[]): Promise<void> {
  const record = findModel(await readModelRegistry(), { modelId });
  if (command === undefined) await build(record);
  else if (command === "--calibrate") await runCalibration(files);
  else if (command === "--agreement") await runAgreement(files, record);
  else
    throw new HuishiError(
      "MODEL_BUILD_USAGE",
      "Usage: build:model [--calibrate VIDEO...] [--agreement VIDEO...]",
    );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `model: ${error instanceof HuishiError ? `${error.code}: ` : ""}${messageOf(error)}\n`,
  );
  process.exitCode = 1;
}
