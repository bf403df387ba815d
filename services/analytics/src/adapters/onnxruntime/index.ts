export { loadModel } from "../model-registry/index.ts";
export { sessionOptions } from "./execution-providers.ts";
export { OnnxDetector } from "./onnx-detector.ts";
