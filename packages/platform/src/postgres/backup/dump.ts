import type { ClientBase } from "pg";
import { HuishiError } from "@huishi/kernel";
import { copyOut } from "../copy-out.ts";
import { MIGRATION_LOCK } from "../migrate.ts";
import { type DatabaseMode, modeOf } from "../timescale.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { type Catalogue, readCatalogue, type Table } from "./catalogue.ts";
import { addFiles, type FileToKeep } from "./kept-files.ts";
import {
  type BackupManifest,
  FORMAT_VERSION,
  MANIFEST_NAME,
  partName,
  type TableRecord,
} from "./manifest.ts";
import { hashRows, type RowHash } from "./row-hash.ts";
import { readRanges } from "./series.ts";
import { asBackupFault, inPublic, openSession, quote, type Session } from "./session.ts";
import { TableParts } from "./table-parts.ts";

export interface BackupProgress {
  readonly table: string;
  /** Of all tables' COPY text. */
  readonly bytes: number;
  /** 0 to 1. While a dump runs an estimate: the tables' size on disk is known, that of their text is not. */
  readonly fraction: number;
}

export interface BackupOptions {
  /** A secret. */
  readonly databaseUrl: string;
  /** The archive to make; it must not exist. */
  readonly file: string;
  /** null: the archive is readable for whoever can read the file. */
  readonly passphrase: string | null;
  readonly files: readonly FileToKeep[];
  readonly filesLeftOut: readonly { readonly path: string; readonly reason: string }[];
  readonly productVersion: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface BackupResult {
  readonly manifest: BackupManifest;
  readonly archiveBytes: number;
}

/**
 * Writes one archive with the configuration's files and every table of ours as it is at one moment, while others go on
 * writing: one connection copies, a second one counts and hashes the rows of the same snapshot; both must agree.
 * Memory does not depend on the tables' size. Nothing is left behind when it fails.
 *
 * Errors: DATABASE_UNREACHABLE; DATABASE_NOT_MIGRATED; BACKUP_DATABASE_BUSY; BACKUP_INCONSISTENT; BACKUP_STOPPED;
 * BACKUP_FAILED; those of ArchiveWriter.
 */
export async function createBackup(options: BackupOptions): Promise<BackupResult> {
  const createdAt = new Date();
  const archive = await ArchiveWriter.create(options.file, options.passphrase, createdAt);
  try {
    const files = await addFiles(archive, options.files, options.signal);
    const database = await dumpDatabase(archive, options);
    const manifest: BackupManifest = {
      format: "huishi-backup",
      formatVersion: FORMAT_VERSION,
      productVersion: options.productVersion,
      createdAt: createdAt.toISOString(),
      ...database,
      files,
      filesLeftOut: [...options.filesLeftOut],
    };
    const text = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`, "utf8");
    await archive.add(MANIFEST_NAME, text.length, [text]);
    options.signal?.throwIfAborted();
    await archive.finish();
    return { manifest, archiveBytes: archive.bytesWritten };
  } catch (thrown) {
    await archive.abort();
    throw asBackupFault(thrown, options.signal, "the backup");
  }
}

type DatabasePart = Pick<BackupManifest, "server" | "migrations" | "tables" | "tablesLeftOut" | "sequences">;

async function dumpDatabase(archive: ArchiveWriter, options: BackupOptions): Promise<DatabasePart> {
  const copying = await openSession(options.databaseUrl, options.signal);
  try {
    const counting = await openSession(options.databaseUrl, options.signal);
    try {
      return await dumpSnapshot(archive, options, { copying, counting });
    } finally {
      await counting.close();
    }
  } finally {
    await copying.close();
  }
}

async function dumpSnapshot(
  archive: ArchiveWriter,
  options: BackupOptions,
  { copying, counting }: { copying: Session; counting: Session },
): Promise<DatabasePart> {
  const { client } = copying;
  const { catalogue, migrations, mode, version, snapshot } = await openSnapshot(client);
  await counting.client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // A snapshot's name comes from the server; SET takes no parameter.
  await counting.client.query(`SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}'`);

  const counted = hashAll(counting.client, catalogue.tables);
  // Awaited below; a fault before that must not end the process.
  counted.catch(() => {});
  const tables = await copyAll(archive, client, catalogue.tables, options);
  const hashes = await counted;
  const ranges = await readRanges(client);
  return {
    server: { version, mode },
    migrations,
    tables: tables.map((table) => ({ ...withHash(table, hashes), ranges: ranges.get(table.name) ?? [] })),
    tablesLeftOut: catalogue.leftOut.map(({ name, reason }) => ({ name, reason })),
    sequences: await readSequences(client, catalogue.sequences),
  };
}

interface Snapshot {
  readonly catalogue: Catalogue;
  readonly migrations: BackupManifest["migrations"];
  readonly mode: DatabaseMode;
  readonly version: string;
  readonly snapshot: string;
}

/**
 * Takes the snapshot and locks the tables with their chunks and partitions against changes of their form; rows may be
 * written. A migration that runs is waited for, so that the snapshot is not from between two of its steps.
 */
async function openSnapshot(client: ClientBase): Promise<Snapshot> {
  await client.query("SELECT pg_advisory_lock_shared($1)", [MIGRATION_LOCK]);
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const { rows } = await client.query<{ migrated: boolean; version: string; snapshot: string }>(
    `SELECT to_regclass('public.schema_migration') IS NOT NULL AS migrated,
            current_setting('server_version') AS version, pg_export_snapshot() AS snapshot`,
  );
  const [first] = rows;
  if (!first?.migrated) {
    throw new HuishiError(
      "DATABASE_NOT_MIGRATED",
      "this database holds nothing of Huishi: is it the right one?",
    );
  }
  const catalogue = await readCatalogue(client);
  if (catalogue.tables.length > 0) {
    const names = catalogue.tables.map((table) => inPublic(table.name)).join(", ");
    await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`);
  }
  const migrations = await client.query<{ number: number; name: string; sha256: string }>(
    "SELECT number, name, sha256 FROM public.schema_migration ORDER BY number",
  );
  const mode = await modeOf(client);
  await client.query("SELECT pg_advisory_unlock_shared($1)", [MIGRATION_LOCK]);
  return { catalogue, migrations: migrations.rows, mode, version: first.version, snapshot: first.snapshot };
}

async function hashAll(client: ClientBase, tables: readonly Table[]): Promise<ReadonlyMap<string, RowHash>> {
  const hashes = new Map<string, RowHash>();
  for (const table of tables) hashes.set(table.name, await hashRows(client, table));
  return hashes;
}

type CopiedTable = Omit<TableRecord, "rowHash" | "ranges">;

async function copyAll(
  archive: ArchiveWriter,
  client: ClientBase,
  tables: readonly Table[],
  options: BackupOptions,
): Promise<CopiedTable[]> {
  const total = tables.reduce((sum, table) => sum + table.heapBytes, 0) || 1;
  const copied: CopiedTable[] = [];
  let bytesBefore = 0;
  let heapBefore = 0;
  for (const table of tables) {
    const report = (bytes: number, isDone = false): void => {
      const heap = isDone ? table.heapBytes : Math.min(bytes, table.heapBytes);
      const fraction = (heapBefore + heap) / total;
      options.onProgress?.({ table: table.name, bytes: bytesBefore + bytes, fraction });
    };
    const done = await copyTable(archive, client, table, report);
    report(done.bytes, true);
    copied.push(done);
    bytesBefore += done.bytes;
    heapBefore += table.heapBytes;
  }
  return copied;
}

async function copyTable(
  archive: ArchiveWriter,
  client: ClientBase,
  table: Table,
  report: (bytes: number) => void,
): Promise<CopiedTable> {
  let number = 0;
  const parts = new TableParts(async (part) => {
    await archive.add(partName(table.name, ++number), part.length, [part]);
    report(parts.bytes);
  });
  const columns = table.columns.map((column) => quote(column.name)).join(", ");
  // The form with SELECT: a hypertable's own COPY gives nothing, its rows lie in its chunks.
  const statement = `COPY (SELECT ${columns} FROM ${inPublic(table.name)}) TO STDOUT`;
  const rows = await copyOut(client, statement, parts);
  const { bytes, sha256 } = await parts.finish();
  return { name: table.name, columns: [...table.columns], rows, bytes, sha256 };
}

function withHash(table: CopiedTable, hashes: ReadonlyMap<string, RowHash>): Omit<TableRecord, "ranges"> {
  const counted = hashes.get(table.name);
  if (counted?.rows !== table.rows) {
    throw new HuishiError(
      "BACKUP_INCONSISTENT",
      `${table.name}: ${table.rows} rows were copied, ${counted?.rows} counted in the same snapshot: run the backup again`,
      { details: { table: table.name } },
    );
  }
  return { ...table, rowHash: counted.hash };
}

/** Sequences know no transactions: read after the copy, they are at or beyond every number in it. */
async function readSequences(
  client: ClientBase,
  names: readonly string[],
): Promise<BackupManifest["sequences"]> {
  const sequences: BackupManifest["sequences"] = [];
  for (const name of names) {
    const { rows } = await client.query<{ lastValue: string; isCalled: boolean }>(
      `SELECT last_value::text AS "lastValue", is_called AS "isCalled" FROM ${inPublic(name)}`,
    );
    if (rows[0]) sequences.push({ name, ...rows[0] });
  }
  return sequences;
}
