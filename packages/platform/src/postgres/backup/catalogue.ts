// What of a database belongs into a dump, asked from its catalogue: the tables as the migrations name them, whatever
// the mode makes of them underneath (a hypertable's chunks, a table's partitions).
import type { ClientBase } from "pg";

export interface Column {
  readonly name: string;
  readonly type: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Of the table with its chunks or partitions, on disk; for the progress only. */
  readonly heapBytes: number;
}

interface LeftOut {
  readonly name: string;
  readonly reason: string;
  /** Made by migrations or by a job from other tables: not ours to empty. */
  readonly isDerived: boolean;
}

export interface Catalogue {
  /** A table comes after those that its foreign keys name. */
  readonly tables: readonly Table[];
  readonly leftOut: readonly LeftOut[];
  /** Those that belong to a table that is left out are not among them. */
  readonly sequences: readonly string[];
}

/** Tables that stay out of every dump, and why. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ["schema_migration", "written by the migrations themselves; the manifest names them"],
  [
    "change",
    "its rows are ordered by transaction numbers, which mean nothing on another server; a reader starts anew",
  ],
  ["user_session", "a restored copy must not let old browsers in: people sign in again"],
  ["setup_token", "a one-time link that was used since would work again"],
  ["agent_claim", "a one-time code that was used since would work again"],
  ["analytics_status", "what running processes say of themselves; they say it anew within seconds"],
]);
/** Tables that have rows in a database that nobody has used yet: the migrations put them there. */
export const SEEDED: ReadonlySet<string> = new Set(["retention_policy", "site_category"]);
const DERIVED = "derived: made anew from the other tables";

/** Reads the catalogue of schema `public`. */
export async function readCatalogue(client: ClientBase): Promise<Catalogue> {
  const { rows } = await client.query<{
    name: string;
    comment: string | null;
    heap: string;
    columns: Column[];
  }>(
    `SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS comment,
            (WITH RECURSIVE tree(oid) AS (
               SELECT c.oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
             SELECT coalesce(sum(pg_relation_size(tree.oid)), 0) FROM tree) AS heap,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
                                       ORDER BY a.attnum), '[]')
             FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns
     FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relpersistence <> 't' AND NOT ${ofExtension("c")}
     ORDER BY c.relname`,
  );
  const leftOut: LeftOut[] = [];
  const tables: Table[] = [];
  for (const row of rows) {
    const isDerived = row.comment?.startsWith("derived:") ?? false;
    const reason = isDerived ? DERIVED : LEFT_OUT.get(row.name);
    if (reason !== undefined) leftOut.push({ name: row.name, reason, isDerived });
    else tables.push({ name: row.name, columns: row.columns, heapBytes: Number(row.heap) });
  }
  return {
    tables: inForeignKeyOrder(tables, await foreignKeys(client)),
    leftOut,
    sequences: await sequencesWithout(client, leftOut),
  };
}

const ofExtension = (alias: string): string =>
  `EXISTS (SELECT 1 FROM pg_depend d
           WHERE d.classid = 'pg_class'::regclass AND d.objid = ${alias}.oid AND d.deptype = 'e')`;

/** Pairs of a table and one that its foreign keys name. */
async function foreignKeys(client: ClientBase): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await client.query<{ from: string; to: string[] }>(
    `SELECT a.relname AS "from", array_agg(DISTINCT b.relname::text) AS "to"
     FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid
     WHERE k.contype = 'f' AND a.relnamespace = 'public'::regnamespace GROUP BY a.relname`,
  );
  return new Map(rows.map((row) => [row.from, row.to]));
}

/** Depth first. In a circle of foreign keys some table comes too early, and the restore says so. */
export function inForeignKeyOrder(
  tables: readonly Table[],
  references: ReadonlyMap<string, readonly string[]>,
): Table[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const seen = new Set<string>();
  const ordered: Table[] = [];
  const visit = (name: string): void => {
    const table = byName.get(name);
    if (table === undefined || seen.has(name)) return;
    seen.add(name);
    for (const referenced of references.get(name) ?? []) visit(referenced);
    ordered.push(table);
  };
  for (const table of tables) visit(table.name);
  return ordered;
}

async function sequencesWithout(client: ClientBase, leftOut: readonly LeftOut[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT s.relname AS name FROM pg_class s
     WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace AND NOT ${ofExtension("s")}
       AND NOT EXISTS (SELECT 1 FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
                       WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
                         AND d.refclassid = 'pg_class'::regclass AND t.relname = ANY($1))
     ORDER BY s.relname`,
    [leftOut.map((table) => table.name)],
  );
  return rows.map((row) => row.name);
}
