import { messageOf } from "@huishi/kernel";
import { Client } from "pg";
import type { Logger } from "../logger.ts";

/**
 * What the database can do beyond PostgreSQL: `tsl` TimescaleDB with all features, `apache` its Apache-2
 * edition (no compression, no continuous aggregates, no policies), `plain` none.
 */
export type DatabaseMode = "tsl" | "apache" | "plain";

/**
 * Makes the extension where it is installed and says which mode the database is in. Each question has a
 * throw-away connection: an extension that is installed but not preloaded ends its connection with FATAL.
 */
export async function prepareTimescale(databaseUrl: string, logger: Logger): Promise<DatabaseMode> {
  try {
    await askOnce(
      databaseUrl,
      `DO $$ BEGIN
         IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb') THEN
           CREATE EXTENSION IF NOT EXISTS timescaledb;
         END IF;
       END $$`,
    );
  } catch (thrown) {
    logger.warn(
      { reason: messageOf(thrown) },
      "TimescaleDB is installed but cannot be used (is it in shared_preload_libraries?): going on without it",
    );
  }
  const rows = await askOnce(
    databaseUrl,
    `SELECT current_setting('timescaledb.license', true) AS license,
            EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') AS installed`,
  );
  const [answer] = rows as { license: string | null; installed: boolean }[];
  if (!answer?.installed) return "plain";
  return answer.license === "apache" ? "apache" : "tsl";
}

async function askOnce(databaseUrl: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end().catch(() => {});
  }
}
