import type { UploadKind } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { UploadBook } from "../../application/agent-uploads.ts";

/** Logs and snapshots of agents in PostgreSQL. */
export class PostgresUploadBook implements UploadBook {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async wanted(agentId: string, id: string): Promise<UploadKind | null> {
    const found = await this.#pool.query<{ kind: UploadKind }>({
      name: "wanted-upload",
      text: "SELECT kind FROM agent_upload WHERE id = $1 AND agent_id = $2 AND state IN ('sent', 'receiving')",
      values: [id, agentId],
    });
    return found.rows[0]?.kind ?? null;
  }

  async progress(id: string, bytes: number): Promise<void> {
    await this.#pool.query(
      `UPDATE agent_upload SET state = 'receiving', bytes = $2, progress_at = now()
       WHERE id = $1 AND state IN ('sent', 'receiving')`,
      [id, bytes],
    );
  }

  async ready(id: string, { bytes, sha256 }: { bytes: number; sha256: string }): Promise<void> {
    await this.#pool.query(
      `UPDATE agent_upload SET state = 'ready', bytes = $2, sha256 = decode($3, 'hex'), progress_at = now(),
         finished_at = now() WHERE id = $1`,
      [id, bytes, sha256],
    );
  }

  async failed(id: string, code: string, message: string): Promise<void> {
    await this.#pool.query(
      `UPDATE agent_upload SET state = 'failed', code = $2, message = $3, finished_at = now()
       WHERE id = $1 AND state <> 'ready'`,
      [id, code, message],
    );
  }

  async stalled(minutes: number): Promise<string[]> {
    const given = await this.#pool.query<{ id: string }>(
      `UPDATE agent_upload SET state = 'failed', code = 'UPLOAD_STALLED', message = 'nothing came for long',
         finished_at = now()
       WHERE state IN ('sent', 'receiving') AND progress_at < now() - $1 * interval '1 minute' RETURNING id`,
      [minutes],
    );
    return given.rows.map(({ id }) => id);
  }

  async surplus({ days, bytes }: { days: number; bytes: number }): Promise<string[]> {
    const found = await this.#pool.query<{ id: string }>(
      `SELECT id FROM (
         SELECT id, created_at, sum(bytes) OVER (ORDER BY created_at DESC, id) AS up_to
         FROM agent_upload WHERE state IN ('ready', 'failed')
       ) AS kept WHERE created_at < now() - $1 * interval '1 day' OR up_to > $2`,
      [days, bytes],
    );
    return found.rows.map(({ id }) => id);
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.#pool.query("DELETE FROM agent_upload WHERE id = ANY($1)", [ids]);
  }
}
