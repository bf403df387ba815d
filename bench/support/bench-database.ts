import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createPool, EmbeddedPostgres, type Logger, migrate } from "@huishi/platform";

export interface BenchDatabase {
  readonly databaseUrl: string;
  /** Mode and server, for the line that says what was measured. */
  readonly description: string;
  /** Process id of the embedded server; null for an external one. */
  readonly pid: number | null;
  drop(): Promise<void>;
}

/** A migrated database of its own: on the server of DATABASE_URL, else on an embedded one. */
export async function benchDatabase(logger: Logger): Promise<BenchDatabase> {
  const external = process.env["DATABASE_URL"];
  if (external) {
    const name = `huishi_bench_${randomBytes(4).toString("hex")}`;
    const url = new URL(external);
    await run(external, `CREATE DATABASE ${name}`);
    url.pathname = `/${name}`;
    return {
      databaseUrl: url.href,
      description: await prepare(url.href, logger),
      pid: null,
      drop: () => run(external, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    };
  }
  const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
  const server = await EmbeddedPostgres.start({ dataDir: path.join(folder, "database"), logger });
  return {
    databaseUrl: server.databaseUrl,
    description: await prepare(server.databaseUrl, logger),
    pid: server.pid,
    async drop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function run(databaseUrl: string, sql: string): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1, statementTimeoutMs: 120_000 });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}

async function prepare(databaseUrl: string, logger: Logger): Promise<string> {
  const { mode } = await migrate(databaseUrl, logger);
  const pool = createPool(databaseUrl, { max: 1 });
  const { rows } = await pool.query<{ version: string; timescale: string | null }>(
    `SELECT current_setting('server_version') AS version,
            (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale`,
  );
  await pool.end();
  const [row] = rows;
  return `PostgreSQL ${row?.version.split(" ")[0]}${row?.timescale ? `, TimescaleDB ${row.timescale}` : ""}, mode ${mode}`;
}
