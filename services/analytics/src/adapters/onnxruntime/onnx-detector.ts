import type { LoadedModel } from "../../application/detection/model-record.ts";
import { type DetectorOptions, RegionDetector } from "../../application/detection/region-detector.ts";
import { OnnxModel } from "./onnx-model.ts";

interface OnnxDetectorOptions extends DetectorOptions {
  /** Execution providers in order of preference. Default: `cpu`. */
  readonly providers: readonly string[];
}

export type OnnxDetector = RegionDetector;

/** `Detector` on onnxruntime-node. */
export const OnnxDetector = {
  /**
   * @throws HuishiError MODEL_CORRUPT, MODEL_MISMATCH, EXECUTION_PROVIDER_MISSING, DETECTOR_INVALID_OUTPUT
   */
  async open(model: LoadedModel, options: Partial<OnnxDetectorOptions> = {}): Promise<RegionDetector> {
    const { providers = ["cpu"], ...others } = options;
    const runnable = await OnnxModel.open(model, providers);
    return new RegionDetector(runnable, model.record, others).tried();
  },
};
