export type { InferenceResult } from "./inference-feed.ts";
export { ForkedInferencePool } from "./inference-pool.ts";
