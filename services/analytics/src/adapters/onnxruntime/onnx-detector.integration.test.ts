import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RgbFrame } from "../../application/detector.ts";
import type { Region } from "../../domain/index.ts";
import { buildNetwork, loadCocoSsd } from "../../model-build/coco-ssd.ts";
import { exportFloat } from "../../model-build/export-float.ts";
import type { LoadedModel } from "../../application/detection/model-record.ts";
import { loadModel } from "../model-registry/index.ts";
import { OnnxDetector } from "./onnx-detector.ts";
import { isModelBuilt } from "./test-support/model.ts";

const root = fileURLToPath(new URL("../../../../../", import.meta.url));
const footage = join(process.env["HUISHI_MEDIA"] ?? join(root, "../shared/media"), "vtest.avi");
const built = await isModelBuilt();
const hasFootage = await access(footage).then(
  () => true,
  () => {
    process.stderr.write("skipped, no footage: set HUISHI_MEDIA to a folder with vtest.avi\n");
    return false;
  },
);
const withModel = test.skipIf(!built);
const onFootage = test.skipIf(!built || !hasFootage);

const size = { width: 640, height: 480 };
const whole: Region = { kind: "whole", x: 0, y: 0, w: size.width, h: size.height };
let model: LoadedModel;
let detector: OnnxDetector;
beforeAll(async () => {
  if (!built) return;
  model = await loadModel();
  detector = await OnnxDetector.open(model);
});
afterAll(() => detector?.close());

async function footageFrame(atSeconds: number): Promise<RgbFrame> {
  const argv = [
    "-v",
    "error",
    "-ss",
    String(atSeconds),
    "-i",
    footage,
    "-frames:v",
    "1",
    "-vf",
    `scale=${size.width}:${size.height}`,
  ];
  const child = spawn("ffmpeg", [...argv, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  return { data: Buffer.concat(chunks), ...size };
}

onFootage("people and cars of a real picture are found, each once", async () => {
  const found = await detector.detect(await footageFrame(5), [whole]);
  const count = (objectClass: string): number =>
    found.filter((one) => one.objectClass === objectClass && one.score >= 0.5).length;
  expect(count("person")).toBeGreaterThanOrEqual(4);
  expect(count("person")).toBeLessThanOrEqual(8);
  expect(count("car")).toBeGreaterThanOrEqual(1);
  expect(
    found.every(
      ({ box }) => box.x >= 0 && box.y >= 0 && box.x + box.w <= 1.000001 && box.y + box.h <= 1.000001,
    ),
  ).toBe(true);
});

onFootage("overlapping regions show no object twice", async () => {
  const frame = await footageFrame(5);
  const halves: Region[] = [0, 160, 320].map((x) => ({ kind: "crop", x, y: 100, w: 320, h: 320 }));
  const once = await detector.detect(frame, [whole]);
  const merged = await detector.detect(frame, [whole, ...halves]);
  const people = (found: typeof once): number =>
    found.filter(({ objectClass, score }) => objectClass === "person" && score >= 0.5).length;
  expect(people(merged)).toBeGreaterThanOrEqual(people(once));
  expect(people(merged)).toBeLessThanOrEqual(10);
});

onFootage("the int8 model finds what the float model finds", async () => {
  const float = await OnnxDetector.open({
    record: model.record,
    bytes: exportFloat(buildNetwork(await loadCocoSsd()), { probes: false }),
  });
  const frame = await footageFrame(20);
  const strong = (found: Awaited<ReturnType<OnnxDetector["detect"]>>): string[] =>
    found
      .filter(({ score }) => score >= 0.6)
      .map(({ objectClass, box }) => `${objectClass} ${Math.round((box.x + box.w / 2) * 20)}`)
      .sort();
  const expected = strong(await float.detect(frame, [whole]));
  const actual = (await detector.detect(frame, [whole])).map(
    ({ objectClass, box }) => `${objectClass} ${Math.round((box.x + box.w / 2) * 20)}`,
  );
  expect(expected.length).toBeGreaterThan(0);
  expect(expected.filter((one) => !actual.includes(one))).toEqual([]);
  await float.close();
});

withModel("an empty picture holds nothing, and a region outside the frame is no fault", async () => {
  const frame = { data: new Uint8Array(640 * 480 * 3).fill(90), ...size };
  expect(await detector.detect(frame, [whole, { kind: "crop", x: 700, y: 0, w: 100, h: 100 }])).toEqual([]);
  expect(await detector.detect(frame, [])).toEqual([]);
});

withModel("closing lets the inference in flight finish and refuses later ones", async () => {
  const own = await OnnxDetector.open(model);
  const frame = { data: new Uint8Array(640 * 480 * 3), ...size };
  const inFlight = own.detect(frame, [whole]);
  await own.close();
  expect(await inFlight).toEqual([]);
  await expect(own.detect(frame, [whole])).rejects.toMatchObject({ code: "DETECTOR_CLOSED" });
});

withModel("a file that is no model is MODEL_CORRUPT even when its hash is right", async () => {
  const bytes = model.bytes.slice(0, 1000);
  await expect(OnnxDetector.open({ record: model.record, bytes })).rejects.toMatchObject({
    code: "MODEL_CORRUPT",
  });
});
