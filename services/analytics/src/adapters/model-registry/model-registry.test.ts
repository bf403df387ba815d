import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OBJECT_CLASSES } from "@huishi/contracts";
import type { HuishiError } from "@huishi/kernel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelClasses } from "../../application/detection/model-record.ts";
import { keptClasses } from "../../model-build/coco-ssd.ts";
import { findModel, loadModel, readModelRegistry, sha256Of } from "./model-registry.ts";

const good = {
  id: "good",
  file: "good.onnx",
  sha256: sha256Of(Buffer.from("good")),
  licence: "Apache-2.0",
  provenance: "made by this test",
  input: { name: "pixels", layout: "nhwc", size: 300, colour: "rgb", type: "uint8" },
  classes: ["person", null, "car"],
  decoder: { kind: "ssd", boxes: "boxes", scores: "scores", gridSizes: [19] },
};
const float = { ...good.input, type: "float32" };
const nanodet = { kind: "nanodet", strides: [8, 16], regMax: 7, cellCentre: 0.5 };
const models: (typeof good)[] = [
  good,
  { ...good, id: "changed", sha256: sha256Of(Buffer.from("other")) },
  { ...good, id: "missing", file: "missing.onnx" },
  { ...good, id: "not-in-the-package", file: "npm:typebox/no-such-file.onnx" },
  { ...good, id: "no-such-package", file: "npm:no-such-package-of-huishi/model.onnx" },
  { ...good, id: "other-decoder", decoder: { ...good.decoder, kind: "yolov99" } },
  { ...good, id: "ssd-without-grids", decoder: { kind: "ssd", boxes: "b", scores: "s" } as never },
  { ...good, id: "unknown-class", classes: ["person", "unicorn"] },
  { ...good, id: "no-class", classes: [null] },
  { ...good, id: "no-classes", classes: undefined as never },
  { ...good, id: "column-beyond", classes: { count: 80, columns: { "80": "person" } } as never },
  { ...good, id: "bytes-scaled", input: { ...good.input, scale: 0.5 } as never },
  { ...good, id: "by-zero", input: { ...float, std: [1, 0, 1] } as never },
  { ...good, id: "no-licence", licence: "" },
  { ...good, id: "no-hash", sha256: "abc" },
  {
    ...good,
    id: "levels-differ",
    input: float,
    decoder: { ...nanodet, scores: ["a"], boxes: ["b"] } as never,
  },
];
const DECODERS: object[] = [
  { kind: "yolox", output: "output", strides: [8, 16, 32] },
  { ...nanodet, output: "output" },
  { ...nanodet, scores: ["a", "b"], boxes: ["c", "d"] },
  { kind: "detr", scores: "logits", boxes: "boxes", activation: "softmax" },
];

let modelsDir: string;
beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "huishi-models-"));
  await writeFile(join(modelsDir, "good.onnx"), "good");
  const others = DECODERS.map((decoder, index) => ({
    ...good,
    id: `decoder-${index}`,
    input: float,
    decoder,
  }));
  await writeFile(
    join(modelsDir, "registry.json"),
    JSON.stringify({ default: "good", models: [...models, ...others] }),
  );
});
afterAll(() => rm(modelsDir, { recursive: true }));

test("an operator's model is the default where their registry says so, and its hash is checked", async () => {
  expect((await loadModel({ modelsDir })).record.id).toBe("good");
  expect((await loadModel()).record.id).toBe("coco-ssd-int8");
});

test("ours can still be chosen beside theirs, and a folder without a registry is an empty one", async () => {
  const registry = await readModelRegistry(modelsDir);
  expect(findModel(registry, { modelId: "coco-ssd-int8" }).licence).toBe("Apache-2.0");
  expect(findModel(await readModelRegistry(join(modelsDir, "nothing"))).id).toBe("coco-ssd-int8");
});

test("a runtime chooses the first model that is made for it", async () => {
  const registry = await readModelRegistry(modelsDir);
  expect(findModel(registry, { runtime: "tfjs" }).id).toBe("coco-ssd-tfjs");
  expect(findModel(registry, { runtime: "onnx" }).id).toBe("good");
  expect(() => findModel(registry, { modelId: "good", runtime: "tfjs" })).toThrow(
    expect.objectContaining({ code: "MODEL_RUNTIME_MISMATCH" }),
  );
});

test.each(DECODERS.map((decoder, index) => [index, decoder] as const))(
  "decoder %i is described by data alone",
  async (index, decoder) => {
    const record = findModel(await readModelRegistry(modelsDir), { modelId: `decoder-${index}` });
    expect(record.decoder).toEqual(decoder);
    expect(modelClasses(record)).toEqual(["person", "car"]);
  },
);

test.each([
  ["changed", "MODEL_CORRUPT", /fetch it again, or pin [0-9a-f]{64}/],
  ["missing", "MODEL_MISSING", /put it where/],
  ["not-in-the-package", "MODEL_MISSING", /not there/],
  ["no-such-package", "MODEL_MISSING", /not there/],
  ["unheard-of", "MODEL_UNKNOWN", /it knows good, changed.*HUISHI_MODEL/],
  ["other-decoder", "MODEL_DECODER_UNKNOWN", /"yolov99"; there are ssd, yolox, nanodet, detr/],
  ["ssd-without-grids", "MODEL_REGISTRY_INVALID", /decoder.*gridSizes/],
  ["unknown-class", "MODEL_REGISTRY_INVALID", /classes/],
  ["no-class", "MODEL_REGISTRY_INVALID", /none of our classes/],
  ["no-classes", "MODEL_REGISTRY_INVALID", /classes/],
  ["column-beyond", "MODEL_REGISTRY_INVALID", /beyond its count of 80/],
  ["bytes-scaled", "MODEL_REGISTRY_INVALID", /leave out scale/],
  ["by-zero", "MODEL_REGISTRY_INVALID", /zero/],
  ["no-licence", "MODEL_REGISTRY_INVALID", /licence/],
  ["no-hash", "MODEL_REGISTRY_INVALID", /sha256/],
  ["levels-differ", "MODEL_REGISTRY_INVALID", /for each of its strides/],
])(
  "the model '%s' is refused with %s, and told why; others are not disturbed",
  async (modelId, code, why) => {
    const error = await loadModel({ modelsDir, modelId }).then(
      () => null,
      (thrown: unknown) => thrown as HuishiError,
    );
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(why);
  },
);

test.each([
  ["no JSON", "{"],
  ["no list", '{"models": 3}'],
  ["no id", '{"models": [{}]}'],
])("a registry with %s is MODEL_REGISTRY_INVALID and named", async (_, content) => {
  const folder = await mkdtemp(join(tmpdir(), "huishi-models-"));
  await writeFile(join(folder, "registry.json"), content);
  await expect(loadModel({ modelsDir: folder })).rejects.toMatchObject({
    code: "MODEL_REGISTRY_INVALID",
    message: expect.stringContaining(folder) as string,
  });
  await rm(folder, { recursive: true });
});

test("both models of ours have the classes that the contracts name", async () => {
  const registry = await readModelRegistry();
  for (const modelId of ["coco-ssd-int8", "coco-ssd-tfjs"]) {
    const classes = modelClasses(findModel(registry, { modelId }));
    expect(classes).toEqual(Object.keys(keptClasses));
    expect([...classes].sort()).toEqual(Object.keys(OBJECT_CLASSES).sort());
  }
});
