import type { Clip, ClipRequest, SignedText } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { ClipStore } from "../../application/clips.ts";

interface ClipRow {
  readonly id: string;
  readonly camera_id: string;
  readonly profile: Clip["profile"];
  readonly from_at: Date;
  readonly to_at: Date;
  readonly purpose: string;
  readonly requested_by: string;
  readonly state: Clip["state"];
  readonly bytes: string;
  readonly sha256: Buffer | null;
  readonly signature: Clip["signature"];
  readonly code: string | null;
  readonly message: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

const SELECT = `SELECT id, camera_id, profile, from_at, to_at, purpose, requested_by, state, bytes, sha256, signature,
  code, message, created_at, finished_at FROM clip`;

const toClip = (row: ClipRow): Clip => ({
  id: row.id,
  cameraId: row.camera_id,
  profile: row.profile,
  fromMs: row.from_at.getTime(),
  toMs: row.to_at.getTime(),
  purpose: row.purpose,
  requestedBy: row.requested_by,
  state: row.state,
  bytes: Number(row.bytes),
  sha256: row.sha256?.toString("hex") ?? null,
  signature: row.signature,
  code: row.code,
  message: row.message,
  createdMs: row.created_at.getTime(),
  finishedMs: row.finished_at?.getTime() ?? null,
});

/** Clips as people ask for them; ingest fetches them. */
export class PostgresClipStore implements ClipStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async add(clip: ClipRequest & { id: string; cameraId: string; by: string }): Promise<boolean> {
    const { id, cameraId, profile, fromMs, toMs, purpose, by } = clip;
    const added = await this.#pool.query(
      `INSERT INTO clip (id, agent_id, camera_id, profile, from_at, to_at, purpose, requested_by)
       SELECT $1, agent_id, id, $3, $4, $5, $6, $7 FROM camera WHERE id = $2`,
      [id, cameraId, profile, new Date(fromMs), new Date(toMs), purpose, by],
    );
    return added.rowCount === 1;
  }

  async ofCamera(cameraId: string): Promise<Clip[]> {
    const found = await this.#pool.query<ClipRow>(
      `${SELECT} WHERE camera_id = $1 ORDER BY created_at DESC LIMIT 200`,
      [cameraId],
    );
    return found.rows.map(toClip);
  }

  async find(id: string): Promise<Clip | null> {
    const found = await this.#pool.query<ClipRow>(`${SELECT} WHERE id = $1`, [id]);
    return found.rows[0] ? toClip(found.rows[0]) : null;
  }

  /** A word that is older than some minutes is none: ingest says it every minute. */
  async isFull(): Promise<boolean> {
    const found = await this.#pool.query(
      "SELECT FROM clip_room WHERE is_full AND told_at > now() - interval '5 minutes'",
    );
    return found.rowCount === 1;
  }

  async manifest(id: string): Promise<SignedText | null> {
    const found = await this.#pool.query<{ manifest: SignedText | null }>(
      "SELECT manifest FROM clip WHERE id = $1",
      [id],
    );
    return found.rows[0]?.manifest ?? null;
  }
}
