import { ANALYTICS_STATUS_KEPT_MS, type AnalyticsProcess, type AnalyticsStatus } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { AnalyticsReport } from "../../application/analytics-report.ts";
import { millisOf } from "./queries/question.ts";

/** Reads what analytics wrote (0018_analytics_status.sql); the database's clock says how old it is. */
export class PostgresAnalyticsReport implements AnalyticsReport {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readAnalytics(): Promise<AnalyticsStatus> {
    const { rows } = await this.#pool.query<{
      status: Omit<AnalyticsProcess, "updatedAtMs">;
      updated_ms: number;
    }>(
      `SELECT status, ${millisOf("updated_at")} AS updated_ms FROM analytics_status
       WHERE updated_at > now() - make_interval(secs => $1) ORDER BY instance_id`,
      [ANALYTICS_STATUS_KEPT_MS / 1000],
    );
    return { processes: rows.map(({ status, updated_ms }) => ({ ...status, updatedAtMs: updated_ms })) };
  }
}
