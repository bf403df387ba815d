import { REHEARSAL_CHUNK_BYTES, REHEARSAL_CLIP_KEPT_MS } from "@huishi/contracts";
import { type Pool, withTransaction } from "@huishi/platform";
import type { NewClip, RehearsalClipStore, StoredClip } from "../../application/rehearsal-clips.ts";

interface Row {
  readonly id: string;
  readonly camera_id: string;
  readonly user_id: string;
  readonly bytes: string;
  readonly created_at: Date;
  readonly received: number;
}

const ADDING_LOCK = 1_502;

/** Clips in chunks of 1 MiB (0015_rehearsal.sql). */
export class PostgresRehearsalClipStore implements RehearsalClipStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  add({ id, cameraId, bytes, user }: NewClip, room: { own: number; all: number }): Promise<"added" | "full"> {
    return withTransaction(this.#pool, async (client) => {
      await client.query("SELECT pg_advisory_xact_lock($1)", [ADDING_LOCK]);
      await client.query(
        `DELETE FROM rehearsal_clip WHERE id IN (
           SELECT id FROM rehearsal_clip WHERE user_id = $1 AND NOT EXISTS (
             SELECT 1 FROM rehearsal
             WHERE state IN ('waiting', 'running') AND source ->> 'clipId' = rehearsal_clip.id)
           ORDER BY created_at DESC OFFSET $2)`,
        [user.id, room.own - 1],
      );
      const added = await client.query(
        `INSERT INTO rehearsal_clip (id, camera_id, user_id, bytes)
         SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM rehearsal_clip) < $5`,
        [id, cameraId, user.id, bytes, room.all],
      );
      return added.rowCount === 1 ? "added" : "full";
    });
  }

  async find(id: string): Promise<StoredClip | null> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT id, camera_id, user_id, bytes, created_at,
              (SELECT count(*)::int FROM rehearsal_clip_chunk WHERE clip_id = rehearsal_clip.id) AS received
       FROM rehearsal_clip WHERE id = $1`,
      [id],
    );
    return rows[0] ? toClip(rows[0]) : null;
  }

  async addChunk(id: string, no: number, bytes: Uint8Array): Promise<void> {
    await this.#pool.query(
      "INSERT INTO rehearsal_clip_chunk (clip_id, no, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [id, no, bytes],
    );
  }

  async delete(id: string): Promise<boolean> {
    return (await this.#pool.query("DELETE FROM rehearsal_clip WHERE id = $1", [id])).rowCount === 1;
  }
}

function toClip(row: Row): StoredClip {
  const bytes = Number(row.bytes);
  const chunks = Math.ceil(bytes / REHEARSAL_CHUNK_BYTES);
  return {
    id: row.id,
    cameraId: row.camera_id,
    userId: row.user_id,
    bytes,
    chunkBytes: REHEARSAL_CHUNK_BYTES,
    chunks,
    received: row.received,
    complete: row.received === chunks,
    expiresAtMs: row.created_at.getTime() + REHEARSAL_CLIP_KEPT_MS,
  };
}
