import { messageOf } from "@huishi/kernel";
import { Client, type ClientBase } from "pg";
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
    await withOneConnection(databaseUrl, (client) =>
      client.query(
        `DO $$ BEGIN
           IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb') THEN
             CREATE EXTENSION IF NOT EXISTS timescaledb;
           END IF;
         END $$`,
      ),
    );
  } catch (thrown) {
    logger.warn(
      { reason: messageOf(thrown) },
      "TimescaleDB is installed but cannot be used (is it in shared_preload_libraries?): going on without it",
    );
  }
  return withOneConnection(databaseUrl, modeOf);
}

/** The mode of a connection's database, as it is. */
export async function modeOf(client: ClientBase): Promise<DatabaseMode> {
  const { rows } = await client.query<{ license: string | null; installed: boolean }>(
    `SELECT current_setting('timescaledb.license', true) AS license,
            EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') AS installed`,
  );
  const [answer] = rows;
  if (!answer?.installed) return "plain";
  return answer.license === "apache" ? "apache" : "tsl";
}

async function withOneConnection<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
