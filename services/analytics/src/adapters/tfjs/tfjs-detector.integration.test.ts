import { iou } from "@huishi/kernel";
import { expect, test } from "vitest";
import { buildNetwork, loadCocoSsd } from "../../model-build/coco-ssd.ts";
import { exportFloat } from "../../model-build/export-float.ts";
import { detectorContract, wholeOf } from "../../test-support/detector.contract.ts";
import { drawnStreet, footageFrame } from "../../test-support/pictures.ts";
import { sickTfjs } from "../../test-support/tiny-models.ts";
import { findModel, loadModel, readModelRegistry } from "../model-registry/index.ts";
import { OnnxDetector } from "../onnxruntime/index.ts";
import { TfjsDetector } from "./index.ts";

const openCocoSsd = async (providers?: readonly string[]) =>
  TfjsDetector.open(await loadModel({ runtime: "tfjs" }), providers && { providers });

detectorContract("TensorFlow.js", {
  open: openCocoSsd,
  openSick: () => TfjsDetector.open(sickTfjs()),
  tolerance: { score: 0.02, iou: 0.95 },
});

test("it says the same as onnxruntime with the same weights, to five digits", async () => {
  const record = findModel(await readModelRegistry());
  const bytes = exportFloat(buildNetwork(await loadCocoSsd()), { probes: false });
  const onnx = await OnnxDetector.open({ record, bytes });
  const tfjs = await openCocoSsd();
  for (const frame of [await drawnStreet(), await footageFrame("vtest.avi", 20)]) {
    if (!frame) continue;
    const expected = await onnx.detect(frame, [wholeOf(frame)]);
    const actual = await tfjs.detect(frame, [wholeOf(frame)]);
    expect(actual.map(({ objectClass }) => objectClass)).toEqual(
      expected.map(({ objectClass }) => objectClass),
    );
    actual.forEach(({ score, box }, index) => {
      expect(score).toBeCloseTo(expected[index]?.score ?? 0, 5);
      expect(iou(box, expected[index]?.box ?? box)).toBeGreaterThan(0.9999);
    });
  }
  await Promise.all([onnx.close(), tfjs.close()]);
});

test("without tfjs-node it runs as WebAssembly; asked for by itself it is an error that names what there is", async () => {
  const native = await TfjsDetector.open(sickTfjs(), { providers: ["node"] }).catch(
    (error: unknown) => error,
  );
  if (native instanceof Error) {
    expect(native).toMatchObject({
      code: "EXECUTION_PROVIDER_MISSING",
      details: { wanted: ["node"], present: ["wasm"] },
    });
    expect((await openCocoSsd()).provider).toBe("wasm");
  }
  expect((await openCocoSsd(["wasm"])).provider).toBe("wasm");
});

test.each([
  ["an input that is not there", { input: { name: "picture" } }, "MODEL_MISMATCH"],
  ["an output that is not there", { decoder: { scores: "logits" } }, "MODEL_MISMATCH"],
  ["a shape that is another one", { decoder: { gridSizes: [2] } }, "MODEL_MISMATCH"],
])("%s is refused when the model is opened", async (_, changes, code) => {
  const { record, ...files } = sickTfjs();
  const changed = {
    ...record,
    input: { ...record.input, ...("input" in changes && changes.input) },
    decoder: { ...record.decoder, ...("decoder" in changes && changes.decoder) },
  } as typeof record;
  await expect(TfjsDetector.open({ ...files, record: changed })).rejects.toMatchObject({ code });
});

test.each([
  ["no JSON", Buffer.from("{")],
  ["no graph", Buffer.from('{"modelTopology": {}, "weightsManifest": []}')],
  ["an ONNX file", Buffer.from([8, 8, 18, 6])],
])("a file that is %s is MODEL_CORRUPT", async (_, bytes) => {
  await expect(TfjsDetector.open({ ...sickTfjs(), bytes })).rejects.toMatchObject({
    code: expect.stringMatching(/MODEL_(CORRUPT|MISMATCH)/) as string,
  });
});

test("weights that the entry does not name are not looked for", async () => {
  const { record, bytes } = sickTfjs();
  await expect(TfjsDetector.open({ record, bytes })).rejects.toMatchObject({ code: "MODEL_MISMATCH" });
});
