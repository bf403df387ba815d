export { findModel, loadModel, readModelRegistry, registryPath, sha256Of } from "./model-registry.ts";
