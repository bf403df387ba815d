import type { AnalyticsStatus } from "@huishi/contracts";

/** What the analytics processes that live say of themselves. */
export interface AnalyticsReport {
  readAnalytics(): Promise<AnalyticsStatus>;
}
