import { AnalyticsStatusSchema } from "@huishi/contracts";
import type { AnalyticsReport } from "../../../application/analytics-report.ts";
import type { App } from "../app-type.ts";
import { errorResponses } from "../schemas.ts";

/** How the analysis goes: for the system view. */
export function addAnalyticsRoutes(app: App, report: AnalyticsReport): void {
  app.get(
    "/api/v1/analytics",
    {
      schema: {
        tags: ["operation"],
        summary:
          "What each analytics process says of itself: cameras, frames, drops by reason, times of each stage",
        response: { 200: AnalyticsStatusSchema, ...errorResponses },
      },
    },
    () => report.readAnalytics(),
  );
}
