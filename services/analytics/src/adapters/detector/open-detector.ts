import type { DetectorChoice } from "../../application/detection/detector-choice.ts";
import type { DetectorOptions, RegionDetector } from "../../application/detection/region-detector.ts";
import { loadModel } from "../model-registry/index.ts";

/**
 * Opens the chosen detector. A runtime is imported only when it is the one: who does not use it never loads it.
 *
 * @throws HuishiError MODEL_*, EXECUTION_PROVIDER_MISSING, DETECTOR_RUNTIME_MISSING, DETECTOR_INVALID_OUTPUT
 */
export async function openDetector(
  { providers, ...choice }: DetectorChoice,
  options: Partial<DetectorOptions> = {},
): Promise<RegionDetector> {
  const model = await loadModel(choice);
  const all = { ...options, ...(providers && { providers }) };
  if (model.record.runtime === "tfjs") {
    const { TfjsDetector } = await import("../tfjs/index.ts");
    return TfjsDetector.open(model, all);
  }
  const { OnnxDetector } = await import("../onnxruntime/index.ts");
  return OnnxDetector.open(model, all);
}
