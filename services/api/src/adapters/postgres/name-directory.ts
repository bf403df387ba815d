import type { Pool } from "@huishi/platform";
import type { Named, NameDirectory } from "../../application/scope.ts";

const FIRST_UNKNOWN: Readonly<Record<Named, string>> = {
  camera: firstUnknownIn("camera"),
  area: firstUnknownIn("area"),
  zone: firstUnknownIn("zone"),
  rule: firstUnknownIn("rule"),
};

const namesIn = (table: Named, name = "name"): string =>
  `SELECT id, ${name} AS name FROM ${table} WHERE id = ANY($1::text[])`;
const NAMES: Readonly<Record<Named, string>> = {
  camera: namesIn("camera"),
  area: namesIn("area"),
  zone: namesIn("zone"),
  rule: namesIn("rule", "settings ->> 'name'"),
};

export class PostgresNameDirectory implements NameDirectory {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async firstUnknown(kind: Named, ids: readonly string[]): Promise<string | null> {
    const found = await this.#pool.query<{ id: string }>(FIRST_UNKNOWN[kind], [ids]);
    return found.rows[0]?.id ?? null;
  }

  async cameraNos(ids: readonly string[]): Promise<number[]> {
    const found = await this.#pool.query<{ no: number }>("SELECT no FROM camera WHERE id = ANY($1::text[])", [
      ids,
    ]);
    return found.rows.map(({ no }) => no);
  }

  async namesOf(kind: Named, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const found = await this.#pool.query<{ id: string; name: string | null }>(NAMES[kind], [ids]);
    return new Map(found.rows.map(({ id, name }) => [id, name ?? ""]));
  }
}

function firstUnknownIn(table: Named): string {
  return `SELECT given.id FROM unnest($1::text[]) AS given (id)
          WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${table}.id = given.id) LIMIT 1`;
}
