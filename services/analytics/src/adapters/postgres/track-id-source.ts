import type { Pool } from "@huishi/platform";
import type { TrackIdSource } from "../../application/ports.ts";

/** Blocks of a million track ids, one for each value of the sequence (0001_initial.sql). */
export class PostgresTrackIdSource implements TrackIdSource {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async takeBlock(): Promise<number> {
    const { rows } = await this.#pool.query<{ first: string }>("SELECT nextval('track_id_block') AS first");
    return Number(rows[0]?.first);
  }
}
