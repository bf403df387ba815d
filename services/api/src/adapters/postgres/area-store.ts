import type { Area } from "@huishi/contracts";
import { type Pool, type PoolClient, sqlStateOf, withTransaction } from "@huishi/platform";
import type { AreaDraft, AreaPutOutcome, AreaStore } from "../../application/areas.ts";
import type { Versioned } from "../../application/versioned.ts";

interface AreaRow {
  readonly id: string;
  readonly name: string;
  readonly parent_id: string | null;
  readonly version: number;
}

const FOREIGN_KEY_VIOLATION = "23503";

export class PostgresAreaStore implements AreaStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listAreas({ after, limit }: { after: string | null; limit: number }): Promise<Area[]> {
    const found = await this.#pool.query<AreaRow>(
      "SELECT id, name, parent_id, version FROM area WHERE id > $1 ORDER BY id LIMIT $2",
      [after ?? "", limit],
    );
    return found.rows.map(toArea);
  }

  putArea(draft: AreaDraft): Promise<AreaPutOutcome> {
    return withTransaction(this.#pool, async (client) => {
      // Two moves at once could close a circle that neither of them sees.
      await client.query("LOCK TABLE area IN SHARE ROW EXCLUSIVE MODE");
      const above = draft.parentId === null ? [] : await idsAbove(client, draft.parentId);
      if (draft.parentId !== null && above.length === 0) return { outcome: "parentMissing" as const };
      if (above.includes(draft.id)) return { outcome: "cycle" as const };
      return write(client, draft);
    });
  }

  async deleteArea(id: string): Promise<"done" | "missing" | "inUse"> {
    try {
      const deleted = await this.#pool.query("DELETE FROM area WHERE id = $1", [id]);
      return deleted.rowCount === 1 ? "done" : "missing";
    } catch (thrown) {
      if (sqlStateOf(thrown) === FOREIGN_KEY_VIOLATION) return "inUse";
      throw thrown;
    }
  }
}

/** The area and those it lies in, up to the top; none when there is no such area. */
async function idsAbove(client: PoolClient, id: string): Promise<string[]> {
  const found = await client.query<{ id: string }>(
    `WITH RECURSIVE above (id, parent_id) AS (
       SELECT id, parent_id FROM area WHERE id = $1
       UNION SELECT area.id, area.parent_id FROM area JOIN above ON area.id = above.parent_id)
     SELECT id FROM above`,
    [id],
  );
  return found.rows.map((row) => row.id);
}

async function write(client: PoolClient, draft: AreaDraft): Promise<Versioned<Area>> {
  const { id, name, parentId, version } = draft;
  const written =
    version === null
      ? await client.query<AreaRow>(
          `INSERT INTO area (id, name, parent_id) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING
           RETURNING id, name, parent_id, version`,
          [id, name, parentId],
        )
      : await client.query<AreaRow>(
          `UPDATE area SET name = $2, parent_id = $3, version = version + 1 WHERE id = $1 AND version = $4
           RETURNING id, name, parent_id, version`,
          [id, name, parentId, version],
        );
  if (written.rows[0]) return { outcome: "done", row: toArea(written.rows[0]) };
  const found = await client.query<AreaRow>("SELECT id, name, parent_id, version FROM area WHERE id = $1", [
    id,
  ]);
  return found.rows[0] ? { outcome: "conflict", current: toArea(found.rows[0]) } : { outcome: "missing" };
}

const toArea = (row: AreaRow): Area => ({
  id: row.id,
  name: row.name,
  parentId: row.parent_id,
  version: row.version,
});
