import { HuishiError, messageOf } from "@huishi/kernel";
import { describeDatabase } from "../database-errors.ts";
import { createPool } from "../pool.ts";
import { rebuildRollups } from "../../store/roll-up.ts";
import { type Migration, migrate, readMigrations } from "../migrate.ts";
import { loadArchive } from "./load.ts";
import type { BackupManifest } from "./manifest.ts";
import type { RestoreOptions } from "./restore-options.ts";
import { asBackupFault, inPublic, openSession, stopped } from "./session.ts";
import { requireRestorable } from "./target.ts";
import { verifyBackup } from "./verify.ts";

const REBUILD_STATEMENT_MS = 4 * 3_600_000;

export interface RestoreResult {
  readonly manifest: BackupManifest;
  /** Tables that were passed over. */
  readonly foreignTables: readonly string[];
  /** Migrations newer than the archive that were applied after it was loaded. */
  readonly migratedOn: readonly string[];
}

/**
 * Brings an archive into a database: reads it in full first, migrates the empty database to the archive's own schema,
 * loads every table in one transaction and commits only when each has the rows and the hash that the manifest names;
 * then migrates on to the newest schema and makes derived tables anew. Whatever ends it before the commit leaves no row.
 *
 * Errors: those of `verifyBackup` and `migrate`; BACKUP_SCHEMA_NEWER; RESTORE_TARGET_NOT_EMPTY; RESTORE_TARGET_NEWER;
 * RESTORE_FOREIGN_TABLES; RESTORE_DIFFERS; RESTORE_UNFINISHED (after the commit); BACKUP_DATABASE_BUSY;
 * DATABASE_DISK_FULL; BACKUP_STOPPED; BACKUP_FAILED.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  const { databaseUrl, logger, signal, files } = options;
  const folder = options.migrationsFolder === undefined ? {} : { folder: options.migrationsFolder };
  let isCommitted = false;
  try {
    const manifest = await verifyBackup(sourceOf(options), signal);
    const newest = requireKnown(manifest, await readMigrations(options.migrationsFolder));
    await requireRestorable(manifest, newest, options);
    if (signal?.aborted) throw stopped();
    await migrate(databaseUrl, logger, { ...folder, upTo: newest });
    const { foreignTables } = await loadArchive(manifest, options);
    isCommitted = true;
    const migratedOn = await finish(manifest, options, folder);
    return { manifest, foreignTables, migratedOn };
  } catch (thrown) {
    // What could not be put into its place stays where it is: the database is in already.
    if (isCommitted) throw thrown;
    await files.discard().catch(() => {});
    throw asBackupFault(thrown, signal, "the restore");
  }
}

function sourceOf(options: RestoreOptions): Parameters<typeof verifyBackup>[0] {
  return {
    file: options.file,
    passphrase: options.passphrase,
    onRead: (bytes, total) =>
      options.onProgress?.({ phase: "verify", table: null, bytes, fraction: bytes / (total || 1) }),
  };
}

/** The number of the archive's last migration. Its migrations must be the first ones of ours. */
function requireKnown(manifest: BackupManifest, known: readonly Migration[]): number {
  const newest = manifest.migrations.at(-1)?.number ?? 0;
  const ours = known.filter((migration) => migration.number <= newest);
  for (const theirs of manifest.migrations) {
    const mine = ours.find((migration) => migration.number === theirs.number);
    if (mine === undefined) {
      throw new HuishiError(
        "BACKUP_SCHEMA_NEWER",
        `the archive was made by version ${manifest.productVersion} with migration ${theirs.name}, which this version does not know: restore it with that version`,
      );
    }
    if (mine.sha256 !== theirs.sha256) {
      throw new HuishiError(
        "MIGRATION_CHANGED",
        `migration ${theirs.name} is not the one that the archive was made with: restore it with version ${manifest.productVersion}`,
      );
    }
  }
  if (ours.length !== manifest.migrations.length) {
    throw new HuishiError("MIGRATION_CHANGED", "the archive lacks a migration that lies between its own");
  }
  return newest;
}

/** What follows the commit. All of it may be done again. */
async function finish(
  manifest: BackupManifest,
  options: RestoreOptions,
  folder: { readonly folder?: string },
): Promise<readonly string[]> {
  const { databaseUrl, logger } = options;
  options.onProgress?.({ phase: "finish", table: null, bytes: 0, fraction: 0 });
  try {
    await options.files.publish();
    const { applied } = await migrate(databaseUrl, logger, folder);
    await analyzeAndRebuild(manifest, options);
    options.onProgress?.({ phase: "finish", table: null, bytes: 0, fraction: 1 });
    return applied;
  } catch (cause) {
    throw new HuishiError(
      "RESTORE_UNFINISHED",
      `every row is back in ${describeDatabase(databaseUrl)}, but what follows failed (${messageOf(cause)}): see docs/backup.md, "When the end fails"`,
      { cause },
    );
  }
}

/** Statistics, and the tables that are made from others (docs/backup.md). Not in a transaction: some of it forbids one. */
async function analyzeAndRebuild(manifest: BackupManifest, options: RestoreOptions): Promise<void> {
  const session = await openSession(options.databaseUrl, options.signal);
  try {
    const { client } = session;
    await client.query("RESET search_path; RESET lock_timeout");
    for (const { name } of manifest.tables) {
      const { rows } = await client.query("SELECT to_regclass($1) AS there", [inPublic(name)]);
      if ((rows[0] as { there: string | null }).there !== null)
        await client.query(`ANALYZE ${inPublic(name)}`);
    }
    const { rows } = await client.query("SELECT to_regclass('public.rollup') AS there");
    if ((rows[0] as { there: string | null }).there === null) return;
  } finally {
    await session.close();
  }
  // An archive of hours or years: each statement may take its time.
  const pool = createPool(options.databaseUrl, { max: 1, statementTimeoutMs: REBUILD_STATEMENT_MS });
  try {
    await rebuildRollups(pool, options.signal ?? new AbortController().signal);
  } finally {
    await pool.end();
  }
}
