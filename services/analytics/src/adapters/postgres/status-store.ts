import { ANALYTICS_STATUS_KEPT_MS } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { ProcessStatus, StatusStore } from "../../application/status-reporter.ts";

/** One row a process (0018_analytics_status.sql); each writer removes those of processes that are gone. */
export class PostgresStatusStore implements StatusStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async write(status: ProcessStatus): Promise<void> {
    await this.#pool.query(
      `WITH gone AS (
         DELETE FROM analytics_status
         WHERE updated_at < now() - make_interval(secs => $3) AND instance_id <> $1)
       INSERT INTO analytics_status (instance_id, status) VALUES ($1, $2)
       ON CONFLICT (instance_id) DO UPDATE SET updated_at = now(), status = excluded.status`,
      [status.instanceId, JSON.stringify(status), ANALYTICS_STATUS_KEPT_MS / 1000],
    );
  }

  async remove(instanceId: string): Promise<void> {
    await this.#pool.query("DELETE FROM analytics_status WHERE instance_id = $1", [instanceId]);
  }
}
