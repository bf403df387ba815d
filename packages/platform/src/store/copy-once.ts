import type { ClientBase } from "pg";
import type { CopyColumn, CopyRow } from "../postgres/binary-copy.ts";
import { copyRows } from "../postgres/copy-rows.ts";

/**
 * Copies rows of which some may be there already, and returns the identity of those that are new: COPY knows no
 * ON CONFLICT, so they go through a temporary table of the session. Slower than a bare COPY: take it where a
 * duplicate was seen. Call it within a transaction.
 *
 * @param keys columns that come back for each new row, as text
 */
export async function copyNewRows(
  client: ClientBase,
  target: {
    readonly table: string;
    readonly columns: readonly CopyColumn[];
    readonly keys: readonly string[];
  },
  rows: readonly CopyRow[],
): Promise<string[][]> {
  if (rows.length === 0) return [];
  const temporary = await temporaryTable(client, target.table);
  await copyRows(client, { table: temporary, columns: target.columns }, rows);
  const names = target.columns.map(({ name }) => name).join(", ");
  const result = await client.query<string[]>({
    text: `INSERT INTO ${target.table} (${names}) SELECT ${names} FROM ${temporary} ON CONFLICT DO NOTHING
           RETURNING ${target.keys.map((key) => `${key}::text`).join(", ")}`,
    rowMode: "array",
  });
  // ON COMMIT would empty it too, but another part of the same transaction may come here again.
  await client.query(`TRUNCATE ${temporary}`);
  return result.rows;
}

/** Made once a session; a rollback takes it away again, so it is asked for each time. */
async function temporaryTable(client: ClientBase, table: string): Promise<string> {
  const name = `arriving_${table}`;
  await client.query(
    `CREATE TEMPORARY TABLE IF NOT EXISTS ${name} (LIKE ${table} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS`,
  );
  return name;
}
