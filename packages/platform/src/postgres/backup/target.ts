import { HuishiError } from "@huishi/kernel";
import type { ClientBase } from "pg";
import { describeDatabase } from "../database-errors.ts";
import { readCatalogue, SEEDED } from "./catalogue.ts";
import type { BackupManifest } from "./manifest.ts";
import { inPublic, openSession } from "./session.ts";

/** Looks at the target before anything in it is changed. `newest` is the number of the archive's last migration. */
export async function requireRestorable(
  manifest: BackupManifest,
  newest: number,
  options: { readonly databaseUrl: string; readonly replace?: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const session = await openSession(options.databaseUrl, options.signal);
  try {
    const { client } = session;
    const target = describeDatabase(options.databaseUrl);
    const names = new Set(manifest.tables.map((table) => table.name));
    const ours = (await readCatalogue(client)).tables.filter((table) => names.has(table.name));
    if (!options.replace) {
      await requireEmpty(
        client,
        ours.map((table) => table.name),
        target,
      );
    }
    const there = await client.query("SELECT to_regclass('public.schema_migration') AS t");
    if ((there.rows[0] as { t: string | null }).t === null) return;
    const { rows } = await client.query<{ name: string }>(
      "SELECT name FROM public.schema_migration WHERE number > $1 ORDER BY number",
      [newest],
    );
    const [first] = rows;
    if (first) {
      throw new HuishiError(
        "RESTORE_TARGET_NEWER",
        `${target} has migration ${first.name} already, which came after this archive: restore into a new database (or with --state into a new folder), it is migrated afterwards`,
      );
    }
  } finally {
    await session.close();
  }
}

/** @throws HuishiError RESTORE_TARGET_NOT_EMPTY */
export async function requireEmpty(
  client: ClientBase,
  tables: readonly string[],
  target: string,
): Promise<void> {
  for (const name of tables) {
    if (SEEDED.has(name)) continue;
    const { rows } = await client.query<{ any: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM ${inPublic(name)}) AS any`,
    );
    if (!rows[0]?.any) continue;
    throw new HuishiError(
      "RESTORE_TARGET_NOT_EMPTY",
      `${target} is not empty (table ${name} has rows): restore into a new database, with --state into a new folder, or remove what is there with --replace`,
      { details: { table: name } },
    );
  }
}
