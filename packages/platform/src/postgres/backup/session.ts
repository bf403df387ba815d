import { HuishiError } from "@huishi/kernel";
import { Client } from "pg";
import { sqlStateOf, unreachable } from "../database-errors.ts";

/**
 * What decides how values are written as text, so that both sides write the same; and no limit that would end a long
 * copy. A setting that a server does not know (they came with later versions) is left out.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  search_path: "public",
  timezone: "UTC",
  datestyle: "ISO, MDY",
  intervalstyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  xmloption: "content",
  client_encoding: "UTF8",
  standard_conforming_strings: "on",
  row_security: "off",
  synchronize_seqscans: "off",
  statement_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  transaction_timeout: "0",
  idle_session_timeout: "0",
  lock_timeout: "30s",
  // The server notices within seconds that we were killed, also in the midst of a long statement.
  client_connection_check_interval: "2s",
};

/** A connection for a dump or a restore. */
export interface Session {
  readonly client: Client;
  /** Ends the connection at once, whatever runs: the server rolls back. */
  destroy(): void;
  close(): Promise<void>;
}

/** @throws HuishiError DATABASE_UNREACHABLE */
export async function openSession(databaseUrl: string, signal?: AbortSignal): Promise<Session> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    application_name: "huishi-backup",
    keepAlive: true,
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (thrown) {
    throw unreachable(databaseUrl, thrown);
  }
  const destroy = (): void => {
    (
      client as unknown as { connection: { stream: { destroy(): void; resume(): void } } }
    ).connection.stream.destroy();
  };
  signal?.addEventListener("abort", destroy);
  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", destroy);
    await client.end().catch(() => {});
  };
  try {
    if (signal?.aborted) throw stopped();
    await client.query(
      `SELECT set_config(wanted.name, wanted.value, false)
       FROM jsonb_each_text($1::jsonb) AS wanted(name, value) JOIN pg_settings ON lower(pg_settings.name) = wanted.name
       WHERE wanted.name <> 'client_connection_check_interval' OR version() LIKE '%linux%'`,
      [JSON.stringify(SETTINGS)],
    );
    return { client, destroy, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const inPublic = (name: string): string => `public.${quote(name)}`;

export const stopped = (): HuishiError => new HuishiError("BACKUP_STOPPED", "stopped before its end");

/** The coded error for whatever ended a dump or a restore. */
export function asBackupFault(thrown: unknown, signal: AbortSignal | undefined, doing: string): unknown {
  if (signal?.aborted) return stopped();
  if (thrown instanceof HuishiError) return thrown;
  const state = sqlStateOf(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (state === "53100") {
    return new HuishiError("DATABASE_DISK_FULL", `the database's disk is full: free some room (${message})`, {
      cause: thrown,
    });
  }
  if (state === "55P03") {
    return new HuishiError(
      "BACKUP_DATABASE_BUSY",
      "somebody else holds the tables for more than 30 s: stop him, or try again later",
      { cause: thrown },
    );
  }
  return new HuishiError("BACKUP_FAILED", `${doing} failed: ${message}`, { cause: thrown });
}
