import { HuishiError } from "@huishi/kernel";
import type { ClientBase } from "pg";
import { copyIn } from "../copy-in.ts";
import { describeDatabase } from "../database-errors.ts";
import { type ArchiveEntry, readArchive } from "./archive-reader.ts";
import { type Catalogue, readCatalogue } from "./catalogue.ts";
import { type BackupManifest, FILES_FOLDER, type TableRecord } from "./manifest.ts";
import type { RestoreOptions } from "./restore-options.ts";
import { hashRows } from "./row-hash.ts";
import { makePartitions } from "./series.ts";
import { inPublic, openSession, quote, stopped } from "./session.ts";
import { requireEmpty } from "./target.ts";
import { readPart, tableOfPart } from "./verify.ts";

/**
 * Loads an archive that `verifyBackup` has read in full. One transaction: it commits when every table has the rows and
 * the hash that the manifest names. Its tables are locked against everybody else meanwhile.
 */
export async function loadArchive(
  manifest: BackupManifest,
  options: RestoreOptions,
): Promise<{ foreignTables: string[] }> {
  const session = await openSession(options.databaseUrl, options.signal);
  try {
    const { client } = session;
    await client.query("BEGIN");
    const catalogue = await readCatalogue(client);
    const { mine, foreign } = divide(manifest, catalogue);
    requireNoForeign(foreign, options);
    await emptyTables(client, mine, catalogue, options);
    await makePartitions(client, mine);
    const triggers = await takeTriggersAway(client, mine);
    await loadTables(client, manifest, mine, options);
    for (const statement of triggers) await client.query(statement);
    await compareTables(client, mine, options);
    await setSequences(client, manifest);
    // A stop that is asked for from here on comes too late, and finds the rows there.
    if (options.signal?.aborted) throw stopped();
    const end = await client.query("COMMIT");
    if (end.command !== "COMMIT") throw new HuishiError("BACKUP_FAILED", "the restore was not committed");
    return { foreignTables: foreign };
  } finally {
    await session.close();
  }
}

/** The archive's tables that this database has, in the archive's order, and the names of the others. */
function divide(manifest: BackupManifest, catalogue: Catalogue): { mine: TableRecord[]; foreign: string[] } {
  const there = new Map(catalogue.tables.map((table) => [table.name, table]));
  const mine = manifest.tables.filter((table) => there.has(table.name));
  const foreign = manifest.tables.filter((table) => !there.has(table.name)).map((table) => table.name);
  for (const table of mine) {
    const columns = new Set(there.get(table.name)?.columns.map((column) => column.name));
    const missing = table.columns.find((column) => !columns.has(column.name));
    if (missing !== undefined) {
      throw new HuishiError(
        "RESTORE_DIFFERS",
        `table ${table.name} has no column ${missing.name} here: the database was not made by its migrations alone`,
      );
    }
  }
  return { mine, foreign };
}

function requireNoForeign(foreign: readonly string[], options: RestoreOptions): void {
  if (foreign.length === 0 || options.skipForeignTables) return;
  throw new HuishiError(
    "RESTORE_FOREIGN_TABLES",
    `the archive holds tables that no migration of Huishi makes (${foreign.join(", ")}): leave them out with --skip-foreign-tables`,
    { details: { tables: foreign } },
  );
}

/**
 * Locks, looks again that nobody was quicker, and truncates: also what is empty, for a table truncated in the same
 * transaction is loaded without WAL where `wal_level` is minimal (PostgreSQL documentation §14.4.7). What never comes
 * from an archive (sessions, the change feed) goes too: it would be about rows that are gone. Derived tables stay as
 * they are: some say how this database was made.
 */
async function emptyTables(
  client: ClientBase,
  mine: readonly TableRecord[],
  catalogue: Catalogue,
  options: RestoreOptions,
): Promise<void> {
  const names = mine.map((table) => table.name);
  const others = catalogue.leftOut
    .filter((table) => !table.isDerived && table.name !== "schema_migration")
    .map((table) => table.name);
  const all = [...names, ...others].map(inPublic).join(", ");
  if (all === "") return;
  await client.query(`LOCK TABLE ${all} IN ACCESS EXCLUSIVE MODE`);
  if (!options.replace) await requireEmpty(client, names, describeDatabase(options.databaseUrl));
  await client.query(`TRUNCATE ${all}`);
}

/**
 * Takes our own triggers away (a row that comes back is no change) and returns the statements that bring them back, in
 * the same transaction. Not DISABLE: a chunk that TimescaleDB makes meanwhile would have them enabled.
 */
async function takeTriggersAway(client: ClientBase, tables: readonly TableRecord[]): Promise<string[]> {
  const { rows } = await client.query<{ table: string; trigger: string; enabled: string; made: string }>(
    `SELECT c.relname AS "table", t.tgname AS trigger, t.tgenabled AS enabled, pg_get_triggerdef(t.oid) AS made
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
     WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1)
       AND p.pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE '\\_timescaledb\\_%')
     ORDER BY t.oid`,
    [tables.map((table) => table.name)],
  );
  const back: string[] = [];
  for (const { table, trigger, enabled, made } of rows) {
    await client.query(`DROP TRIGGER ${quote(trigger)} ON ${inPublic(table)}`);
    back.push(made);
    const state = TRIGGER_STATES[enabled];
    if (state !== undefined) back.push(`ALTER TABLE ${inPublic(table)} ${state} TRIGGER ${quote(trigger)}`);
  }
  return back;
}

/** pg_trigger.tgenabled, but for `O`: enabled, as a new trigger is. */
const TRIGGER_STATES: Readonly<Record<string, string>> = {
  A: "ENABLE ALWAYS",
  R: "ENABLE REPLICA",
  D: "DISABLE",
};

/** The archive's second reading: files are put aside, tables loaded in its order. */
async function loadTables(
  client: ClientBase,
  manifest: BackupManifest,
  mine: readonly TableRecord[],
  options: RestoreOptions,
): Promise<void> {
  const entries = new EntryCursor(readArchive({ file: options.file, passphrase: options.passphrase }));
  try {
    await stageFiles(entries, options);
    const total = manifest.tables.reduce((sum, table) => sum + table.bytes, 0) || 1;
    let bytes = 0;
    for (const table of manifest.tables) {
      const parts = partsOf(table.name, entries, (read) => {
        bytes += read;
        options.onProgress?.({ phase: "load", table: table.name, bytes, fraction: bytes / total });
      });
      if (mine.includes(table)) await loadTable(client, table, parts);
      else for await (const part of parts) void part;
    }
  } finally {
    await entries.close();
  }
}

async function stageFiles(entries: EntryCursor, options: RestoreOptions): Promise<void> {
  for (let entry = await entries.current(); entry !== null; entry = await entries.next()) {
    if (!entry.name.startsWith(FILES_FOLDER)) return;
    await options.files.stage(entry.name.slice(FILES_FOLDER.length), entry.chunks());
  }
}

async function loadTable(
  client: ClientBase,
  table: TableRecord,
  parts: AsyncGenerator<Buffer>,
): Promise<void> {
  const columns = table.columns.map((column) => quote(column.name)).join(", ");
  const rows = await copyIn(client, `COPY ${inPublic(table.name)} (${columns}) FROM STDIN`, ahead(parts));
  if (rows !== table.rows) throw differs(table.name, `${table.rows} rows in the archive, ${rows} loaded`);
}

async function* partsOf(
  table: string,
  entries: EntryCursor,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for (let entry = await entries.current(); entry !== null; entry = await entries.next()) {
    if (tableOfPart(entry.name) !== table) return;
    const text = await readPart(entry);
    yield text;
    onRead(text.length);
  }
}

/** Makes the next part while the server takes the one before: two are in memory. */
async function* ahead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next();
  for (;;) {
    const got = await next;
    if (got.done) return;
    next = source.next();
    // Its fault comes out at the next turn, or not at all when nobody asks any more.
    next.catch(() => {});
    yield got.value;
  }
}

/** An archive's entries, of which the present one may be looked at before it is taken. */
class EntryCursor {
  readonly #entries: AsyncGenerator<ArchiveEntry>;
  #current: ArchiveEntry | null = null;
  #hasBegun = false;

  constructor(entries: AsyncGenerator<ArchiveEntry>) {
    this.#entries = entries;
  }

  async current(): Promise<ArchiveEntry | null> {
    return this.#hasBegun ? this.#current : this.next();
  }

  async next(): Promise<ArchiveEntry | null> {
    this.#hasBegun = true;
    const next = await this.#entries.next();
    this.#current = next.done ? null : next.value;
    return this.#current;
  }

  async close(): Promise<void> {
    await this.#entries.return(undefined);
  }
}

async function compareTables(
  client: ClientBase,
  tables: readonly TableRecord[],
  options: RestoreOptions,
): Promise<void> {
  for (const [index, table] of tables.entries()) {
    options.onProgress?.({ phase: "compare", table: table.name, bytes: 0, fraction: index / tables.length });
    const { rows, hash } = await hashRows(client, table);
    if (rows !== table.rows)
      throw differs(table.name, `${table.rows} rows in the archive, ${rows} in the database`);
    if (hash !== table.rowHash) throw differs(table.name, "the rows' hash is another one");
  }
  options.onProgress?.({ phase: "compare", table: null, bytes: 0, fraction: 1 });
}

/** Of a sequence that is not here only a foreign table knew. */
async function setSequences(client: ClientBase, manifest: BackupManifest): Promise<void> {
  for (const { name, lastValue, isCalled } of manifest.sequences) {
    await client.query("SELECT setval(to_regclass($1), $2::bigint, $3)", [
      inPublic(name),
      lastValue,
      isCalled,
    ]);
  }
}

const differs = (table: string, what: string): HuishiError =>
  new HuishiError("RESTORE_DIFFERS", `table ${table}: ${what}; nothing was committed`, {
    details: { table },
  });
