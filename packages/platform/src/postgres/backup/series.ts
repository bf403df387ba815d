// Tables that are cut by time (migration 0003, docs/storage.md): the archive says where its chunks lie, so that a
// plain database has partitions there before the rows come. TimescaleDB makes its chunks itself.
import type { ClientBase } from "pg";
import type { TableRecord } from "./manifest.ts";

type Ranges = TableRecord["ranges"];

/** The chunks' times by table; nothing where the database knows no series. */
export async function readRanges(client: ClientBase): Promise<ReadonlyMap<string, Ranges>> {
  if (!(await exists(client, "huishi_store.series_chunks(text)"))) return new Map();
  const { rows } = await client.query<{ name: string; ranges: Ranges }>(
    `SELECT s.name, jsonb_agg(jsonb_build_object('from', c.from_at::text, 'to', c.to_at::text) ORDER BY c.from_at) AS ranges
     FROM public.series AS s CROSS JOIN LATERAL huishi_store.series_chunks(s.name) AS c GROUP BY s.name`,
  );
  return new Map(rows.map((row) => [row.name, row.ranges]));
}

/** What lies outside of the ranges goes to the default partition; the store's own job moves it later. */
export async function makePartitions(client: ClientBase, tables: readonly TableRecord[]): Promise<void> {
  if (!(await exists(client, "huishi_store.ensure_partition(text, timestamptz)"))) return;
  const { rows } = await client.query<{ mode: string }>("SELECT huishi_store.mode() AS mode");
  if (rows[0]?.mode !== "plain") return;
  for (const table of tables) {
    if (table.ranges.length === 0) continue;
    await client.query(
      `SELECT huishi_store.ensure_partition(s.name, at)
       FROM public.series AS s, jsonb_to_recordset($2::jsonb) AS r("from" timestamptz, "to" timestamptz),
            generate_series(r."from", r."to" - interval '1 microsecond', s.chunk_interval) AS at
       WHERE s.name = $1`,
      [table.name, JSON.stringify(table.ranges)],
    );
  }
}

async function exists(client: ClientBase, signature: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>("SELECT to_regprocedure($1) IS NOT NULL AS there", [
    signature,
  ]);
  return rows[0]?.there ?? false;
}
