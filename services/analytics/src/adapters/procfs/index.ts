export { LoopDelay } from "./loop-delay.ts";
export { processUsage } from "./process-usage.ts";
