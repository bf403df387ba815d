export {
  type Analytics,
  type AnalyticsOptions,
  type AnalyticsStats,
  startAnalytics,
  type WorkerOptions,
} from "./compose.ts";
export { type DetectorChoice, detectorChoice } from "./application/detection/detector-choice.ts";
