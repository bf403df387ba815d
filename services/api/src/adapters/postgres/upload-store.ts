import type { AgentUpload } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { NewUpload, UploadStore } from "../../application/agent-uploads.ts";

interface UploadRow {
  readonly id: string;
  readonly agent_id: string;
  readonly camera_id: string | null;
  readonly kind: AgentUpload["kind"];
  readonly requested_by: string;
  readonly purpose: string | null;
  readonly state: AgentUpload["state"];
  readonly bytes: string;
  readonly sha256: Buffer | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

const toUpload = (row: UploadRow): AgentUpload => ({
  id: row.id,
  agentId: row.agent_id,
  cameraId: row.camera_id,
  kind: row.kind,
  requestedBy: row.requested_by,
  purpose: row.purpose,
  state: row.state,
  bytes: Number(row.bytes),
  sha256: row.sha256?.toString("hex") ?? null,
  code: row.code,
  message: row.message,
  createdMs: row.created_at.getTime(),
  finishedMs: row.finished_at?.getTime() ?? null,
});

/** Logs and snapshots as people ask for them; ingest takes them in. */
export class PostgresUploadStore implements UploadStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async add({ id, agentId, cameraId, kind, by, purpose }: NewUpload): Promise<boolean> {
    const added = await this.#pool.query(
      `INSERT INTO agent_upload (id, agent_id, camera_id, kind, requested_by, purpose)
       SELECT $1, id, $3, $4, $5, $6 FROM agent WHERE id = $2`,
      [id, agentId, cameraId, kind, by, purpose],
    );
    return added.rowCount === 1;
  }

  async find(id: string): Promise<AgentUpload | null> {
    const found = await this.#pool.query<UploadRow>(
      `SELECT id, agent_id, camera_id, kind, requested_by, purpose, state, bytes, sha256, code, message, created_at,
         finished_at FROM agent_upload WHERE id = $1`,
      [id],
    );
    return found.rows[0] ? toUpload(found.rows[0]) : null;
  }

  async fail(id: string, code: string, message: string): Promise<void> {
    await this.#pool.query(
      `UPDATE agent_upload SET state = 'failed', code = $2, message = $3, finished_at = now()
       WHERE id = $1 AND state IN ('sent', 'receiving')`,
      [id, code, message],
    );
  }
}
