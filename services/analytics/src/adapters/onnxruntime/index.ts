export {
  loadModel,
  type LoadedModel,
  type ModelRecord,
  readModelRegistry,
  registryPath,
} from "./model-registry.ts";
export { OnnxDetector, type OnnxDetectorOptions, sessionOptions } from "./onnx-detector.ts";
