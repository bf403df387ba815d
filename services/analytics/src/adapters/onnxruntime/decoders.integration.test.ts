// Each kind of decoder with a real model of a few nodes in an operator's folder: no code, known boxes.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LoadedModel, ModelRecord } from "../../application/detection/model-record.ts";
import type { RgbFrame } from "../../application/detector.ts";
import type { Region } from "../../domain/index.ts";
import { plain } from "../../test-support/pictures.ts";
import { tinyOnnx, type TinyOutput, tinyRecord } from "../../test-support/tiny-models.ts";
import { openDetector } from "../detector/open-detector.ts";
import { sha256Of } from "../model-registry/index.ts";
import { OnnxDetector } from "./onnx-detector.ts";

const repeat = (row: readonly number[], rows: number): number[] =>
  Array.from({ length: rows }, () => row).flat();
/** `row` in the place of the one numbered `at` of a table of `rows` rows of zeros. */
const table = (rows: number, at: number, row: readonly number[]): number[] => [
  ...repeat(
    row.map(() => 0),
    at,
  ),
  ...row,
  ...repeat(
    row.map(() => 0),
    rows - at - 1,
  ),
];
/** Bins of a distance: all of the weight on one. */
const bins = (bin: number): number[] => Array.from({ length: 4 }, (_, at) => (at === bin ? 60 : 0));

interface Kind {
  readonly record: ModelRecord;
  readonly outputs: Readonly<Record<string, TinyOutput>>;
  readonly objectClass: string;
  readonly score: number;
  readonly box: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** Inputs of 96 pixels. */
const KINDS: readonly Kind[] = [
  {
    // Anchors: three of the cell of the first map, then six of the second, whose first one is 0.95 of the picture.
    record: tinyRecord("tiny-ssd", {
      classes: { count: 3, columns: { "2": "car" } },
      decoder: { kind: "ssd", boxes: "encoded", scores: "logits", gridSizes: [1, 1] },
    }),
    outputs: {
      encoded: {
        dims: [1, 9, 4],
        bright: table(9, 3, [0, 0, 5 * Math.log(0.5 / 0.95), 5 * Math.log(0.6 / 0.95)]),
      },
      logits: {
        dims: [1, 9, 3],
        bright: [...repeat([-20, -20, -20], 3), -20, -20, 2, ...repeat([-20, -20, -20], 5)],
        dark: repeat([-20, -20, -20], 9),
      },
    },
    objectClass: "car",
    score: 1 / (1 + Math.exp(-2)),
    box: { x: 0.2, y: 0.25, w: 0.6, h: 0.5 },
  },
  {
    // Strides 16 and 32: 36 + 9 cells; the middle one of the coarser grid, moved right by a quarter of a cell.
    record: tinyRecord("tiny-yolox", {
      classes: ["person", "car"],
      decoder: { kind: "yolox", output: "output", strides: [16, 32] },
      input: { ...tinyRecord("x", {} as never).input, layout: "nhwc", colour: "bgr" },
    }),
    outputs: {
      output: {
        dims: [1, 45, 7],
        bright: table(45, 36 + 4, [0.75, 0.5, Math.log(1.5), Math.log(0.75), 0.9, 0.8, 0.1]),
      },
    },
    objectClass: "person",
    score: 0.72,
    box: { x: 56 / 96 - 0.25, y: 0.375, w: 0.5, h: 0.25 },
  },
  {
    record: tinyRecord("tiny-nanodet", {
      classes: ["person", "car"],
      decoder: { kind: "nanodet", output: "output", strides: [32], regMax: 3, cellCentre: 0.5 },
    }),
    outputs: {
      output: {
        dims: [1, 9, 2 + 16],
        bright: table(9, 4, [0.1, 0.65, ...bins(1), ...bins(0), ...bins(1), ...bins(1)]),
      },
    },
    objectClass: "car",
    score: 0.65,
    box: { x: 16 / 96, y: 0.5, w: 64 / 96, h: 32 / 96 },
  },
  {
    record: tinyRecord("tiny-nanodet-levels", {
      classes: ["person", "car"],
      decoder: {
        kind: "nanodet",
        scores: ["fine-scores", "coarse-scores"],
        boxes: ["fine-boxes", "coarse-boxes"],
        strides: [32, 48],
        regMax: 3,
        cellCentre: 0,
      },
    }),
    outputs: {
      "fine-scores": { dims: [1, 9, 2], bright: repeat([0, 0], 9) },
      "fine-boxes": {
        dims: [1, 9, 16],
        bright: repeat(
          Array.from({ length: 16 }, () => 0),
          9,
        ),
      },
      "coarse-scores": { dims: [1, 4, 2], bright: table(4, 3, [0.8, 0]) },
      "coarse-boxes": {
        dims: [1, 4, 16],
        bright: table(4, 3, [...bins(1), ...bins(0), ...bins(0), ...bins(1)]),
      },
    },
    objectClass: "person",
    score: 0.8,
    box: { x: 0, y: 0.5, w: 0.5, h: 0.5 },
  },
  {
    record: tinyRecord("tiny-detr", {
      classes: ["person", null, "car"],
      decoder: { kind: "detr", scores: "logits", boxes: "boxes", activation: "softmax" },
    }),
    outputs: {
      logits: { dims: [1, 2, 4], bright: [0, 0, 0, 9, 3, 0, 0, 0] },
      boxes: { dims: [1, 2, 4], bright: [0.5, 0.5, 0.5, 0.5, 0.4, 0.6, 0.5, 0.4] },
    },
    objectClass: "person",
    score: Math.exp(3) / (Math.exp(3) + 3),
    box: { x: 0.15, y: 0.4, w: 0.5, h: 0.4 },
  },
];

let modelsDir: string;
const models = KINDS.map((kind): LoadedModel => tinyOnnx(kind.record, kind.outputs));
beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "huishi-models-"));
  for (const { record, bytes } of models) await writeFile(join(modelsDir, record.file), bytes);
  await writeFile(
    join(modelsDir, "registry.json"),
    JSON.stringify({ models: models.map(({ record }) => record) }),
  );
});
afterAll(() => rm(modelsDir, { recursive: true }));

const whole = ({ width, height }: RgbFrame): Region => ({ kind: "whole", x: 0, y: 0, w: width, h: height });

test.each(KINDS)("$record.id: a file and an entry, and its known box is found", async (kind) => {
  const detector = await openDetector({ modelsDir, modelId: kind.record.id });
  const [white, black] = [plain(96, 96, 255), plain(96, 96, 0)];
  const found = await detector.detect(white, [whole(white)]);
  expect(found.map(({ objectClass }) => objectClass)).toEqual([kind.objectClass]);
  expect(found[0]?.score).toBeCloseTo(kind.score, 4);
  for (const side of ["x", "y", "w", "h"] as const)
    expect(found[0]?.box[side]).toBeCloseTo(kind.box[side], 3);
  expect(await detector.detect(black, [whole(black)])).toEqual([]);
  await detector.close();
});

test("what was letterboxed is found where it is in the picture", async () => {
  const detector = await openDetector({ modelsDir, modelId: "tiny-detr" });
  const wide = plain(192, 96, 255);
  const [found] = await detector.detect(wide, [whole(wide)]);
  // The picture fills the middle half of the input: 0.4..0.8 of the input's height is 0.3..1 of the picture's.
  expect(found?.box.x).toBeCloseTo(0.15, 4);
  expect(found?.box.y).toBeCloseTo(0.3, 4);
  expect(found?.box.h).toBeCloseTo(0.7, 4);
  await detector.close();
});

test("objects that overlap are all kept where the model says each once, and merged where it does not", async () => {
  const detr = tinyOnnx(
    tinyRecord("twins", {
      classes: ["person"],
      decoder: { kind: "detr", scores: "logits", boxes: "boxes", activation: "sigmoid" },
    }),
    {
      logits: { dims: [1, 2, 1], bright: [3, 2], dark: [-9, -9] },
      boxes: { dims: [1, 2, 4], bright: repeat([0.5, 0.5, 0.4, 0.6], 2) },
    },
  );
  const yolox = tinyOnnx(
    tinyRecord("merged", {
      classes: ["person"],
      decoder: { kind: "yolox", output: "output", strides: [48], boxesAre: "pixels" },
    }),
    { output: { dims: [1, 4, 6], bright: repeat([48, 48, 40, 60, 1, 0.9], 4) } },
  );
  const white = plain(96, 96, 255);
  const counts: number[] = [];
  for (const model of [detr, yolox]) {
    const detector = await OnnxDetector.open(model);
    counts.push((await detector.detect(white, [whole(white)])).length);
    await detector.close();
  }
  expect(counts).toEqual([2, 1]);
});

test("a model that always gives NaN is refused when it is opened", async () => {
  const nan = repeat([Number.NaN], 2);
  const record = tinyRecord("hopeless", {
    classes: ["person"],
    decoder: { kind: "detr", scores: "logits", boxes: "boxes", activation: "sigmoid" },
  });
  const outputs = {
    logits: { dims: [1, 2, 1], bright: nan },
    boxes: { dims: [1, 2, 4], bright: repeat(nan, 4) },
  };
  await expect(OnnxDetector.open(tinyOnnx(record, outputs))).rejects.toMatchObject({
    code: "DETECTOR_INVALID_OUTPUT",
  });
});

const ssd = models[0] as LoadedModel;
test.each([
  ["another name of the input", { input: { ...ssd.record.input, name: "images" } }, /its inputs are pixels/],
  [
    "another type",
    { input: { ...ssd.record.input, type: "uint8", scale: undefined } },
    /is of float32, not uint8/,
  ],
  ["another size", { input: { ...ssd.record.input, size: 64 } }, /\[1, 3, 96, 96\].*\[1, 3, 64, 64\]/],
  ["another layout", { input: { ...ssd.record.input, layout: "nhwc" } }, /\[1, 96, 96, 3\]/],
  [
    "another name of an output",
    { decoder: { ...ssd.record.decoder, boxes: "dets" } },
    /its outputs are encoded, logits/,
  ],
  ["other grids", { decoder: { ...ssd.record.decoder, gridSizes: [2, 1] } }, /36 values where 18 rows of 4/],
  ["other classes", { classes: ["person", "car"] }, /27 values where 9 rows of 2/],
])("%s than the entry says is MODEL_MISMATCH, and told", async (_, changes, why) => {
  const record = { ...ssd.record, ...changes } as ModelRecord;
  const refused = OnnxDetector.open({ record, bytes: ssd.bytes });
  await expect(refused).rejects.toMatchObject({ code: "MODEL_MISMATCH" });
  await expect(refused).rejects.toThrow(why);
});

test("a file that is not the pinned one is told with its own hash, to pin where that is meant", async () => {
  const changed = { ...ssd.record, id: "other", file: "other.onnx", sha256: "1".repeat(64) };
  const folder = await mkdtemp(join(tmpdir(), "huishi-models-"));
  await writeFile(join(folder, "other.onnx"), ssd.bytes);
  await writeFile(join(folder, "registry.json"), JSON.stringify({ models: [changed] }));
  const refused = openDetector({ modelsDir: folder, modelId: "other" });
  await expect(refused).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  await expect(refused).rejects.toThrow(sha256Of(ssd.bytes));
  await rm(folder, { recursive: true });
});
