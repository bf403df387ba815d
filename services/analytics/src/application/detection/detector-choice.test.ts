import { expect, test } from "vitest";
import { detectorChoice } from "./detector-choice.ts";

test("nothing is set: the default model, and the operator's folder where there is one", () => {
  expect(detectorChoice({})).toEqual({});
  expect(detectorChoice({ HUISHI_DETECTOR: "", HUISHI_MODEL: "" }, "/data/models")).toEqual({
    modelsDir: "/data/models",
  });
});

test("runtime, model, folder and providers are chosen by name", () => {
  const env = {
    HUISHI_DETECTOR: "onnx",
    HUISHI_MODEL: "yolox-nano",
    HUISHI_MODELS_DIR: "/srv/models",
    HUISHI_EXECUTION_PROVIDERS: "CUDA, cpu",
  };
  expect(detectorChoice(env, "/data/models")).toEqual({
    runtime: "onnx",
    modelId: "yolox-nano",
    modelsDir: "/srv/models",
    providers: ["cuda", "cpu"],
  });
});

test.each([
  [{ HUISHI_DETECTOR: "pytorch" }, /onnx or tfjs/],
  [{ HUISHI_EXECUTION_PROVIDERS: "cuda,,cpu" }, /"cuda,cpu"/],
  [{ HUISHI_EXECUTION_PROVIDERS: "../lib.so" }, /list of names/],
])("%j is refused with what it can be", (env, message) => {
  expect(() => detectorChoice(env)).toThrow(expect.objectContaining({ code: "DETECTOR_CONFIG_INVALID" }));
  expect(() => detectorChoice(env)).toThrow(message);
});
