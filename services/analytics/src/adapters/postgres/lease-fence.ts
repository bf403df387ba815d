import type { Pool } from "@huishi/platform";
import type { LeaseFence, Takeover } from "../../application/fenced-stores.ts";

interface TakeoverRow {
  readonly id: string;
  readonly no: number;
  readonly taken_at: Date;
}

/** Asks who holds a camera now. */
export class PostgresLeaseFence implements LeaseFence {
  readonly #pool: Pool;
  readonly #ownIds: () => readonly string[];

  /** @param ownIds the worker ids that this process has had */
  constructor(pool: Pool, ownIds: () => readonly string[]) {
    this.#pool = pool;
    this.#ownIds = ownIds;
  }

  async takeovers(of: {
    readonly cameraIds?: readonly string[];
    readonly cameraNos?: readonly number[];
  }): Promise<readonly Takeover[]> {
    const { rows } = await this.#pool.query<TakeoverRow>({
      name: "lease-fence",
      text: `SELECT camera.id, camera.no, lease.taken_at
        FROM camera JOIN camera_lease AS lease ON lease.camera_id = camera.id
        WHERE (camera.id = ANY ($1::text[]) OR camera.no = ANY ($2::integer[]))
          AND lease.worker IS NOT NULL AND lease.worker <> ALL ($3::text[])`,
      values: [of.cameraIds ?? [], of.cameraNos ?? [], this.#ownIds()],
    });
    return rows.map((row) => ({ cameraId: row.id, cameraNo: row.no, takenAtMs: row.taken_at.getTime() }));
  }
}
