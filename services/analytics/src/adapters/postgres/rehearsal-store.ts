import type { RehearsalResult } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { RehearsalJob, RehearsalLane, RehearsalStore } from "../../application/rehearsal/ports.ts";

/** A worker that has not beaten for so long is taken for dead. By the database's clock. */
const SILENT = "interval '15 seconds'";
const MAX_ATTEMPTS = 3;
const GIVEN_UP = {
  code: "REHEARSAL_GIVEN_UP",
  message: "Three workers in a row ended during this rehearsal; choose a shorter time or another clip.",
};

interface Row {
  readonly id: string;
  readonly camera_id: string;
  readonly subject: RehearsalJob["subject"];
  readonly baseline: RehearsalJob["baseline"];
  readonly source: RehearsalJob["source"];
}

/** Jobs in table `rehearsal` (0015_rehearsal.sql), claimed by row locks that skip what others hold. */
export class PostgresRehearsalStore implements RehearsalStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async claim(worker: string, lane: RehearsalLane): Promise<RehearsalJob | null> {
    await this.#pool.query(
      `UPDATE rehearsal SET state = 'failed', error = $1, finished_at = now()
       WHERE state = 'running' AND attempts >= ${MAX_ATTEMPTS} AND heartbeat_at < now() - ${SILENT}`,
      [JSON.stringify(GIVEN_UP)],
    );
    const { rows } = await this.#pool.query<Row>(
      `UPDATE rehearsal SET state = 'running', worker = $1, heartbeat_at = now(), attempts = attempts + 1, progress = 0
       WHERE id = (SELECT id FROM rehearsal
                   WHERE state IN ('waiting', 'running') AND source ->> 'kind' = $2
                     AND (state = 'waiting' OR heartbeat_at < now() - ${SILENT})
                   ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, camera_id, subject, baseline, source`,
      [worker, lane],
    );
    const row = rows[0];
    if (!row) return null;
    const { id, camera_id: cameraId, subject, baseline, source } = row;
    return { id, cameraId, subject, baseline, source };
  }

  async beat(id: string, worker: string, progress: number): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE rehearsal SET heartbeat_at = now(), progress = $3
       WHERE id = $1 AND worker = $2 AND state = 'running'`,
      [id, worker, progress],
    );
    return rowCount === 1;
  }

  async finish(id: string, worker: string, result: RehearsalResult): Promise<void> {
    await this.#pool.query(
      `UPDATE rehearsal SET state = 'done', progress = 1, result = $3, finished_at = now()
       WHERE id = $1 AND worker = $2 AND state = 'running'`,
      [id, worker, JSON.stringify(result)],
    );
  }

  async fail(id: string, worker: string, error: { code: string; message: string }): Promise<void> {
    await this.#pool.query(
      `UPDATE rehearsal SET state = 'failed', error = $3, finished_at = now()
       WHERE id = $1 AND worker = $2 AND state = 'running'`,
      [id, worker, JSON.stringify({ code: error.code, message: error.message })],
    );
  }
}
