export {
  findModel,
  loadModel,
  type ModelChoice,
  readModelRegistry,
  registryPath,
  sha256Of,
} from "./model-registry.ts";
