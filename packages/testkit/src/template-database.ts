import { randomBytes } from "node:crypto";
import { sleep } from "@huishi/kernel";
import { createPool, type Logger, migrate, sqlStateOf } from "@huishi/platform";

/** The same server, another database. */
export function withDatabase(databaseUrl: string, database: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `/${database}`;
  return url.href;
}

const freshName = (kind: string): string => `huishi_${kind}_${randomBytes(6).toString("hex")}`;

/** object_in_use: somebody is connected to the template. */
const OBJECT_IN_USE = "55006";
const CLONE_ATTEMPTS = 40;

/**
 * TimescaleDB's jobs would run in every copy while its test does; and its workers are connected to the template, of
 * which no copy can be made then. Jobs are switched off here and in all copies; a test runs what it needs itself.
 */
const QUIET_TIMESCALE = `
  DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') THEN
      IF current_setting('timescaledb.license', true) <> 'apache' THEN
        PERFORM alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs;
      END IF;
      PERFORM _timescaledb_functions.stop_background_workers();
    END IF;
  END $$`;

/** Runs one statement as the server's administrator. */
async function administer(adminUrl: string, sql: string): Promise<void> {
  const pool = createPool(adminUrl, {
    max: 1,
    applicationName: "huishi-testkit",
    statementTimeoutMs: 60_000,
  });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}

/** Makes an empty database with the newest schema and returns its name. */
export async function makeTemplate(adminUrl: string, logger: Logger): Promise<string> {
  const template = freshName("template");
  await administer(adminUrl, `CREATE DATABASE ${template}`);
  await migrate(withDatabase(adminUrl, template), logger);
  await administer(withDatabase(adminUrl, template), QUIET_TIMESCALE);
  return template;
}

export async function dropTemplate(adminUrl: string, template: string): Promise<void> {
  await administer(adminUrl, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
}

/** Makes a copy of the template and returns its name. */
export async function cloneTemplate(adminUrl: string, template: string): Promise<string> {
  const database = freshName("test");
  for (let attempt = 1; ; attempt++) {
    try {
      await administer(adminUrl, `CREATE DATABASE ${database} TEMPLATE ${template}`);
      return database;
    } catch (thrown) {
      // A worker of the server's (autovacuum too) looks in and leaves again.
      if (sqlStateOf(thrown) !== OBJECT_IN_USE || attempt === CLONE_ATTEMPTS) throw thrown;
      await sleep(100);
    }
  }
}

export async function dropDatabase(adminUrl: string, database: string): Promise<void> {
  await administer(adminUrl, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
}
