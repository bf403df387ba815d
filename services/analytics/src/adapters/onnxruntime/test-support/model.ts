import { loadModel } from "../../model-registry/index.ts";

/** False, with a line that says so, when the model was not built: tests that need it are skipped then. */
export async function isModelBuilt(): Promise<boolean> {
  try {
    await loadModel();
    return true;
  } catch (error) {
    process.stderr.write(`skipped, the model is not built (npm run build:model): ${String(error)}\n`);
    return false;
  }
}
