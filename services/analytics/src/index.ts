export { type Analytics, type AnalyticsOptions, type AnalyticsStats, startAnalytics } from "./compose.ts";
export { type DetectorChoice, detectorChoice } from "./application/detection/detector-choice.ts";
