// A model that is wrong, or goes wrong with some pictures: told with a code, and nobody else is disturbed.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessUnit } from "@huishi/contracts";
import type { HuishiError } from "@huishi/kernel";
import { afterEach, expect, test } from "vitest";
import type { DetectorChoice } from "../../application/detection/detector-choice.ts";
import type { LoadedModel } from "../../application/detection/model-record.ts";
import { sickOnnx, sickTfjs } from "../../test-support/tiny-models.ts";
import { encodeClip, until } from "../ffmpeg/test-support/access-units.ts";
import { ForkedInferencePool } from "./inference-pool.ts";

const SECONDS = 2;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An operator's folder with the one model. */
async function folderWith({ record, bytes, parts }: LoadedModel): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "huishi-models-"));
  closers.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, record.file), bytes);
  for (const [name, part] of parts ?? []) await writeFile(join(folder, name), part);
  await writeFile(join(folder, "registry.json"), JSON.stringify({ default: record.id, models: [record] }));
  return folder;
}

function startPool(detector: DetectorChoice) {
  const faults: HuishiError[] = [];
  const providers: string[] = [];
  const pool = new ForkedInferencePool({
    processes: 1,
    detector,
    onFault: (error) => faults.push(error),
    onReady: ({ provider }) => providers.push(provider),
  });
  closers.push(() => pool.close());
  return { pool, faults, providers };
}

async function watch(pool: ForkedInferencePool, cameraId: string) {
  const seen = { frames: 0, drops: [] as string[] };
  const feed = await pool.open({
    cameraId,
    sampleFps: 5,
    motionGate: false,
    onFrame: () => void (seen.frames += 1),
    onDrop: (reason) => seen.drops.push(reason),
    onFault: () => undefined,
  });
  return { feed, seen };
}

/** As square as the input of the model, which frames anything else in white. */
const picture = (colour: string): Promise<AccessUnit[]> =>
  encodeClip({ seconds: SECONDS, input: ["-f", "lavfi", "-i", `color=${colour}:size=96x96:rate=25`] });

test.each([
  ["onnxruntime", sickOnnx],
  ["TensorFlow.js", sickTfjs],
])(
  "where a model on %s gives NaN for one camera's pictures, those frames are lost with a code and the other camera goes on",
  { timeout: 120_000 },
  async (_, model) => {
    const { pool, faults } = startPool({ modelsDir: await folderWith(model()) });
    const [dark, light] = [await watch(pool, "dark"), await watch(pool, "light")];
    const [pid] = pool.pids;
    const [black, white] = [await picture("black"), await picture("white")];
    for (let round = 0; light.seen.frames < 5 || faults.length < 5; round++) {
      if (round > 40) throw new Error(`waited in vain: ${JSON.stringify({ light, faults: faults.length })}`);
      const shifted = (unit: AccessUnit): AccessUnit => ({
        ...unit,
        capturedAtMs: unit.capturedAtMs + round * SECONDS * 1_000,
      });
      for (const [at, unit] of white.entries()) {
        light.feed.push(shifted(unit));
        if (black[at]) dark.feed.push(shifted(black[at]));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(["DETECTOR_INVALID_OUTPUT"]));
    expect(faults[0]?.details).toEqual({ cameraId: "dark" });
    expect(dark.seen.frames).toBe(0);
    expect(dark.seen.drops).toContain("analysis_failed");
    expect(light.seen.drops).not.toContain("analysis_failed");
    expect(pool.pids).toEqual([pid]);
  },
);

test("a provider that is not present is an error of open; with another one behind it the camera is analysed", async () => {
  const modelsDir = await folderWith(sickOnnx());
  const alone = startPool({ modelsDir, providers: ["nonsense"] });
  await expect(watch(alone.pool, "north")).rejects.toMatchObject({ code: "EXECUTION_PROVIDER_MISSING" });
  const withCpu = startPool({ modelsDir, providers: ["nonsense", "cpu"] });
  const { feed, seen } = await watch(withCpu.pool, "north");
  expect([feed.classes, withCpu.providers]).toEqual([["person"], ["cpu"]]);
  for (const unit of await picture("white")) feed.push(unit);
  await until(() => seen.frames > 0, "a frame is analysed");
}, 120_000);
