import { HuishiError, messageOf } from "@huishi/kernel";
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
  // The pool listens to idle connections only; an unheard `error` event of one in use would end the process. Whoever
  // uses it learns of the fault by his query.
  pool.on("connect", (client) => void client.on("error", () => {}));
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
  try {
    await client.query("BEGIN");
    const result = await work(client);
    const end = await client.query("COMMIT");
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and no error.
    if (end.command !== "COMMIT") {
      throw new HuishiError("TRANSACTION_ABORTED", "a statement had failed before: nothing was committed");
    }
    client.release();
    return result;
  } catch (thrown) {
    await rollBack(client, thrown);
    throw thrown;
  }
}

async function rollBack(client: PoolClient, thrown: unknown): Promise<void> {
  if (sqlStateOf(thrown) === null && isConnectionFault(thrown)) {
    client.release(asError(thrown));
    return;
  }
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch (fault) {
    client.release(asError(fault));
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

function isConnectionFault(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null)?.code;
  return (
    (typeof code === "string" && /^E[A-Z]+$/.test(code)) ||
    /timeout|terminated|not queryable|connection/i.test(messageOf(thrown))
  );
}
