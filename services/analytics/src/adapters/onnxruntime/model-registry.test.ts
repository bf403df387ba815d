import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OBJECT_CLASSES } from "@huishi/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keptClasses } from "../../model-build/coco-ssd.ts";
import { findModel, loadModel, readModelRegistry, sha256Of } from "./model-registry.ts";

let folder: string;
let registry: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-models-"));
  registry = join(folder, "registry.json");
  await writeFile(join(folder, "good.onnx"), "good");
  const models = [
    { id: "good", file: "good.onnx", sha256: sha256Of(Buffer.from("good")) },
    { id: "changed", file: "good.onnx", sha256: sha256Of(Buffer.from("other")) },
    { id: "missing", file: "missing.onnx", sha256: "" },
  ];
  await writeFile(registry, JSON.stringify({ default: "good", models }));
});
afterAll(() => rm(folder, { recursive: true }));

test("a model whose hash is right is loaded", async () => {
  expect((await loadModel({ registry })).record.id).toBe("good");
});

test.each([
  ["changed", "MODEL_CORRUPT"],
  ["missing", "MODEL_MISSING"],
  ["unheard-of", "MODEL_UNKNOWN"],
])("the model '%s' is refused with %s", async (id, code) => {
  await expect(loadModel({ registry, id })).rejects.toMatchObject({ code });
});

test("the default model has the classes that the contracts name, in the order of its scores", async () => {
  const { classes } = findModel(await readModelRegistry());
  expect(classes).toEqual(Object.keys(keptClasses));
  expect([...classes].sort()).toEqual(Object.keys(OBJECT_CLASSES).sort());
});
