import type { Pool } from "@huishi/platform";
import type { RoomBook } from "../../application/clip-room.ts";

const MAX_GONE = 500;
/** What the minimum has released, by capture and by arrival, and no hold covers. */
const EXPENDABLE = `clip.state = 'ready' AND clip.to_at < now() - p.min_age AND clip.finished_at < now() - p.min_age
  AND p.dataset = 'clip' AND NOT huishi_store.clip_held(clip)`;

/** What may go of the clips in PostgreSQL. */
export class PostgresClipRoomBook implements RoomBook {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async giveUp(bytes: number): Promise<void> {
    await this.#pool.query(
      `DELETE FROM clip USING (
         SELECT clip.id, sum(clip.bytes) OVER (ORDER BY clip.finished_at, clip.id) - clip.bytes AS before
         FROM clip, retention_policy AS p WHERE ${EXPENDABLE}
       ) AS old WHERE clip.id = old.id AND old.before < $1`,
      [bytes],
    );
  }

  async hasExpendable(): Promise<boolean> {
    const found = await this.#pool.query(
      `SELECT FROM clip, retention_policy AS p WHERE ${EXPENDABLE} LIMIT 1`,
    );
    return found.rowCount === 1;
  }

  async gone(): Promise<string[]> {
    const found = await this.#pool.query<{ id: string }>(
      "SELECT id FROM clip_gone ORDER BY gone_at LIMIT $1",
      [MAX_GONE],
    );
    return found.rows.map(({ id }) => id);
  }

  async filesGone(ids: readonly string[]): Promise<void> {
    await this.#pool.query("DELETE FROM clip_gone WHERE id = ANY($1)", [ids]);
  }

  async coming(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#pool.query<{ id: string }>(
      `SELECT id FROM clip WHERE id = ANY($1) AND state IN ('wanted', 'sent', 'receiving')
       UNION SELECT id FROM agent_upload WHERE id = ANY($1) AND state IN ('sent', 'receiving')`,
      [ids],
    );
    return new Set(found.rows.map(({ id }) => id));
  }

  async tell(room: { maxBytes: number; usedBytes: number; isFull: boolean }): Promise<void> {
    await this.#pool.query(
      `INSERT INTO clip_room (max_bytes, used_bytes, is_full) VALUES ($1, $2, $3)
       ON CONFLICT (only_one) DO UPDATE SET max_bytes = $1, used_bytes = $2, is_full = $3, told_at = now()`,
      [room.maxBytes, room.usedBytes, room.isFull],
    );
  }
}
