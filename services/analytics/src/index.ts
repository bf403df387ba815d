export { type Analytics, type AnalyticsOptions, type AnalyticsStats, startAnalytics } from "./compose.ts";
