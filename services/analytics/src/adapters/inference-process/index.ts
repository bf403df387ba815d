export { type InferenceFeedOptions, type InferenceResult } from "./inference-feed.ts";
export { ForkedInferencePool, type ForkedInferencePoolOptions } from "./inference-pool.ts";
