export {
  type Analytics,
  type AnalyticsOptions,
  type AnalyticsStats,
  startAnalytics,
  type WorkerOptions,
} from "./compose.ts";
