import type { ClientBase } from "pg";
import { inPublic, quote } from "./session.ts";

export interface RowHash {
  readonly rows: number;
  /** In decimal. */
  readonly hash: string;
}

/**
 * Number of rows and the sum of their hashes: the same for the same rows in whatever order, on whatever server and in
 * whatever mode, for rows that differ in one bit another one (but for a chance of 2^-64). A row's hash is PostgreSQL's own
 * 64-bit one of the row's text under the session's settings (session.ts); hash partitioning relies on it, so it stays
 * from one version to the next. It is over the bytes, whatever the collation.
 */
export async function hashRows(
  client: ClientBase,
  table: { readonly name: string; readonly columns: readonly { readonly name: string }[] },
): Promise<RowHash> {
  const columns = table.columns.map((column) => quote(column.name)).join(", ");
  const { rows } = await client.query<{ rows: string; hash: string }>(
    `SELECT count(*) AS rows, coalesce(sum(hashtextextended(ROW(${columns})::text COLLATE "C", 0)), 0)::text AS hash
     FROM ${inPublic(table.name)}`,
  );
  return { rows: Number(rows[0]?.rows), hash: rows[0]?.hash ?? "0" };
}
