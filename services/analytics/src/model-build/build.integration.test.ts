import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findModel, readModelRegistry, registryPath, sha256Of } from "../adapters/model-registry/index.ts";
import { buildNetwork, loadCocoSsd } from "./coco-ssd.ts";
import { type CalibrationTable, exportInt8 } from "./export-int8.ts";
import { anchorCount } from "./network.ts";
import { loadTfjsGraph } from "./tfjs-graph.ts";

test("the build gives the very bytes that the registry pins", async () => {
  const table = JSON.parse(
    await readFile(join(dirname(registryPath), "coco-ssd.calibration.json"), "utf8"),
  ) as CalibrationTable;
  const network = buildNetwork(await loadCocoSsd());
  expect(anchorCount(network)).toBe(1917);
  expect(sha256Of(exportInt8(network, table))).toBe(findModel(await readModelRegistry()).sha256);
});

test("weights that are missing or changed are refused with what to do", async () => {
  await expect(loadTfjsGraph("/nonexistent", {})).rejects.toMatchObject({ code: "MODEL_SOURCE_MISSING" });
  const folder = dirname(registryPath);
  await expect(loadTfjsGraph(folder, { "model.json": "0" })).rejects.toMatchObject({
    code: "MODEL_SOURCE_MISSING",
  });
});
