import type { Watch } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { User } from "../../application/identity.ts";
import type { LookStore } from "../../application/looks.ts";

export class PostgresLookStore implements LookStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async startLooks(person: User, watches: readonly Watch[], purpose: string): Promise<string[]> {
    const started = await this.#pool.query<{ id: string }>(
      `INSERT INTO look (user_id, user_name, camera_id, profile, purpose)
       SELECT $1, $2, watch.camera_id, watch.profile, $3
       FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS watch (camera_id, profile, place)
       ORDER BY watch.place RETURNING id`,
      [
        person.id,
        person.userName,
        purpose,
        watches.map((watch) => watch.cameraId),
        watches.map((watch) => watch.profile),
      ],
    );
    return started.rows.map((row) => row.id);
  }

  async endLooks(ids: readonly string[]): Promise<void> {
    await this.#pool.query(
      "UPDATE look SET ended_at = now() WHERE id = ANY($1::bigint[]) AND ended_at IS NULL",
      [ids],
    );
  }
}
