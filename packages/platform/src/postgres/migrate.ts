import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { backoffDelayMs, HuishiError, sleep } from "@huishi/kernel";
import { Client } from "pg";
import type { Logger } from "../logger.ts";
import { describeDatabase, sqlStateOf, unreachable } from "./database-errors.ts";
import { type DatabaseMode, prepareTimescale } from "./timescale.ts";

/** The same folder seen from src/postgres and from dist/postgres. */
const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../migrations/", import.meta.url));
const OLDEST_SERVER = 150_000;
/** Any fixed number: whoever migrates this schema takes this advisory lock. */
export const MIGRATION_LOCK = 4_408_040_001;

/** A numbered SQL file. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

export interface MigrationResult {
  readonly mode: DatabaseMode;
  /** File names applied by this call. */
  readonly applied: readonly string[];
}

/**
 * Brings the database to the newest schema: numbered forward-only SQL files, one transaction each, under an
 * advisory lock, so that several processes may call it at once. `upTo` stops after the migration of that number: a
 * restore needs the schema that its dump was made of.
 *
 * Errors: DATABASE_UNREACHABLE; DATABASE_TOO_OLD (below PostgreSQL 15); MIGRATION_CHANGED (an applied file is
 * no longer what it was, or is gone).
 */
export async function migrate(
  databaseUrl: string,
  logger: Logger,
  options: { readonly folder?: string; readonly upTo?: number } = {},
): Promise<MigrationResult> {
  const migrations = await readMigrations(options.folder);
  const wanted = migrations.filter(({ number }) => number <= (options.upTo ?? Infinity));
  await requireServer(databaseUrl);
  const mode = await prepareTimescale(databaseUrl, logger);
  const applied = await withClient(databaseUrl, (client) =>
    applyAll(client, { known: migrations, wanted }, logger),
  );
  logger.info({ database: describeDatabase(databaseUrl), mode, applied: applied.length }, "database ready");
  return { mode, applied };
}

/** The migrations that this version knows, in order. */
export async function readMigrations(folder: string = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(`${folder}/${name}`, "utf8");
      return {
        number: Number(name.slice(0, 4)),
        name,
        sql,
        sha256: createHash("sha256").update(sql).digest("hex"),
      };
    }),
  );
}

async function withClient<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    application_name: "huishi-migrate",
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (thrown) {
    throw unreachable(databaseUrl, thrown);
  }
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function requireServer(databaseUrl: string): Promise<void> {
  const version = await withClient(databaseUrl, async (client) => {
    const result = await client.query<{ version: string }>(
      "SELECT current_setting('server_version_num') AS version",
    );
    return Number(result.rows[0]?.version);
  });
  if (version < OLDEST_SERVER) {
    throw new HuishiError(
      "DATABASE_TOO_OLD",
      `PostgreSQL ${Math.floor(version / 10_000)} at ${describeDatabase(databaseUrl)} is too old: 15 or newer is needed`,
      { details: { serverVersionNum: version } },
    );
  }
}

async function applyAll(
  client: Client,
  { known, wanted }: { known: readonly Migration[]; wanted: readonly Migration[] },
  logger: Logger,
): Promise<string[]> {
  await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
  try {
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migration (
      number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now())`);
    const before = await client.query<{ number: number; name: string; sha256: string }>(
      "SELECT number, name, sha256 FROM schema_migration ORDER BY number",
    );
    for (const row of before.rows) requireUnchanged(row, known);
    const done = new Set(before.rows.map((row) => row.number));
    const applied: string[] = [];
    for (const migration of wanted) {
      if (done.has(migration.number)) continue;
      await applyOne(client, migration);
      logger.info({ migration: migration.name }, "migration applied");
      applied.push(migration.name);
    }
    return applied;
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [MIGRATION_LOCK]).catch(() => {});
  }
}

function requireUnchanged(
  row: { number: number; name: string; sha256: string },
  migrations: readonly Migration[],
): void {
  const file = migrations.find((migration) => migration.number === row.number);
  if (file?.sha256 === row.sha256) return;
  throw new HuishiError(
    "MIGRATION_CHANGED",
    file
      ? `migration ${row.name} differs from what this database was made with: restore the file, add a new one instead`
      : `this database has migration ${row.name}, which this version does not know: start the newer version`,
    { details: { migration: row.name } },
  );
}

/** A lock that writers hold is waited for this long at a time: whoever comes meanwhile queues behind us. */
const LOCK_WAIT = "2s";
const LOCK_ATTEMPTS = 30;
const LOCK_PAUSE = { baseDelayMs: 200, maxDelayMs: 5_000 };
/** lock_not_available, deadlock_detected. */
const PASSING = new Set(["55P03", "40P01"]);

/** Under load a migration gives up a lock that it cannot have soon, lets others through, and comes again. */
async function applyOne(client: Client, migration: Migration): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await applyOnce(client, migration);
      return;
    } catch (thrown) {
      await client.query("ROLLBACK").catch(() => {});
      if (!PASSING.has(sqlStateOf(thrown) ?? "") || attempt >= LOCK_ATTEMPTS) {
        throw new HuishiError("MIGRATION_FAILED", `migration ${migration.name} failed and was rolled back`, {
          cause: thrown,
          details: { migration: migration.name },
        });
      }
      await sleep(backoffDelayMs(attempt, LOCK_PAUSE, Math.random));
    }
  }
}

async function applyOnce(client: Client, migration: Migration): Promise<void> {
  await client.query(`BEGIN; SET LOCAL lock_timeout = '${LOCK_WAIT}'`);
  await client.query(migration.sql);
  await client.query("INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3)", [
    migration.number,
    migration.name,
    migration.sha256,
  ]);
  await client.query("COMMIT");
}
