import type { LoadedModel } from "../../application/detection/model-record.ts";
import { type DetectorOptions, RegionDetector } from "../../application/detection/region-detector.ts";
import { TFJS_BACKENDS } from "./tfjs-library.ts";
import { TfjsModel } from "./tfjs-model.ts";

interface TfjsDetectorOptions extends DetectorOptions {
  /** `node`, `wasm`, in order of preference. Default: natively where it is installed, else as WebAssembly. */
  readonly providers: readonly string[];
}

/** `Detector` on TensorFlow.js. */
export const TfjsDetector = {
  /**
   * @throws HuishiError EXECUTION_PROVIDER_MISSING, MODEL_CORRUPT, MODEL_MISMATCH, DETECTOR_INVALID_OUTPUT
   */
  async open(model: LoadedModel, options: Partial<TfjsDetectorOptions> = {}): Promise<RegionDetector> {
    const { providers = TFJS_BACKENDS, ...others } = options;
    const runnable = await TfjsModel.open(model, providers);
    return new RegionDetector(runnable, model.record, others).tried();
  },
};
