import { HuishiError, messageOf } from "@huishi/kernel";

/** SQLSTATE of a PostgreSQL error (five characters), or null for a fault of the connection or of ours. */
export function sqlStateOf(thrown: unknown): string | null {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/**
 * True when the database answered and blamed the values it was given (classes 21, 22, 23 and 54 of PostgreSQL's
 * appendix A): sending the same again would fail again. Anything else may pass by itself, or is not the row's
 * fault (a missing table, a full disk).
 */
export function isValueFault(thrown: unknown): boolean {
  if (isMovedPartition(thrown)) return false;
  return /^(21|22|23|54)/.test(sqlStateOf(thrown) ?? "");
}

/**
 * A row was on its way into the default partition when a partition of its own was made: it names no constraint, and
 * the next try goes to the right place.
 */
function isMovedPartition(thrown: unknown): boolean {
  return sqlStateOf(thrown) === "23514" && (thrown as { constraint?: unknown }).constraint === undefined;
}

/** `host:port/database` of a database URL, without user and password. */
export function describeDatabase(databaseUrl: string): string {
  try {
    const url = new URL(databaseUrl);
    return `${url.hostname || "localhost"}:${url.port || "5432"}${url.pathname}`;
  } catch {
    return "the given DATABASE_URL";
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: start PostgreSQL or correct the address",
  ENOTFOUND: "the host name is unknown",
  "28P01": "the user name or password is wrong",
  "28000": "the server refuses this user: check pg_hba.conf",
  "3D000": "the database does not exist: create it first",
  "53300": "the server has no connection left: raise max_connections",
  "57P03": "the server is starting or stopping: try again",
};

/** Wraps a failed connection in DATABASE_UNREACHABLE, saying what to do and never the password. */
export function unreachable(databaseUrl: string, thrown: unknown): HuishiError {
  const given = (thrown as { code?: unknown } | null)?.code;
  const code = typeof given === "string" ? given : "";
  const advice = ADVICE[code] ?? messageOf(thrown);
  return new HuishiError(
    "DATABASE_UNREACHABLE",
    `cannot use the database at ${describeDatabase(databaseUrl)}: ${advice}`,
    { cause: thrown, details: { reason: code || "unknown" } },
  );
}
