import { messageOf } from "@huishi/kernel";
import { Pool as PgPool, type PoolClient } from "pg";
import type { Logger } from "../logger.ts";
import { repeatSummary } from "../logger.ts";
import { sqlStateOf } from "./database-errors.ts";

export type Pool = PgPool;
export type { PoolClient } from "pg";

export interface PoolOptions {
  /** Connections at most. Default 4. */
  readonly max?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** A statement that runs longer is ended by the server. Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** Connecting, or waiting for a free connection, at most. Default 5 s. */
  readonly connectTimeoutMs?: number;
  readonly logger?: Logger;
}

/**
 * A pool of PostgreSQL connections. bigint columns come back as decimal strings (pg's own default), so that no
 * id loses digits. A connection that breaks while idle is logged and replaced; it never ends the process.
 */
export function createPool(databaseUrl: string, options: PoolOptions = {}): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const pool = new PgPool({
    connectionString: databaseUrl,
    max: options.max ?? 4,
    application_name: options.applicationName ?? "huishi",
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementTimeoutMs,
    // The server ends a slow statement; this ends the wait for a server that hangs.
    query_timeout: statementTimeoutMs + 5_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
  });
  const repeats = repeatSummary();
  pool.on("error", (err) => {
    const swallowed = repeats.note(messageOf(err));
    if (swallowed !== null) options.logger?.warn({ err, swallowed }, "an idle database connection broke");
  });
  return pool;
}

/**
 * Runs `work` in one transaction and returns what it returns. Rolls back when it throws; a connection whose
 * state is unknown (fault without an SQLSTATE) is closed instead of being given back.
 */
export async function withTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A checked-out client has no other listener, and an unheard `error` event would end the process.
  const onError = (): void => {};
  client.on("error", onError);
  const release = (error?: Error): void => {
    client.off("error", onError);
    client.release(error);
  };
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    release();
    return result;
  } catch (thrown) {
    await rollBack(client, thrown, release);
    throw thrown;
  }
}

async function rollBack(
  client: PoolClient,
  thrown: unknown,
  release: (error?: Error) => void,
): Promise<void> {
  const isAnswered = sqlStateOf(thrown) !== null || !isConnectionFault(thrown);
  if (!isAnswered) {
    release(thrown instanceof Error ? thrown : new Error(String(thrown)));
    return;
  }
  try {
    await client.query("ROLLBACK");
    release();
  } catch (rollbackFault) {
    release(rollbackFault instanceof Error ? rollbackFault : new Error(String(rollbackFault)));
  }
}

function isConnectionFault(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null)?.code;
  return (
    (typeof code === "string" && /^E[A-Z]+$/.test(code)) ||
    /timeout|terminated|not queryable|connection/i.test(messageOf(thrown))
  );
}
