export { loadModel, readModelRegistry, registryPath } from "./model-registry.ts";
export { OnnxDetector, sessionOptions } from "./onnx-detector.ts";
