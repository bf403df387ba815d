/**
 * Durable ingest, whole: a publisher process sends QoS 1 batches of 50 over TLS, the ingest process commits and then
 * acknowledges; against psql's binary copy of the same rows into the same table by two psql processes, in the same
 * run, turn by turn. Then the time to the acknowledgement at half the rate that was reached.
 *
 *   npm run bench:ingest [-- events agents]        DATABASE_URL=... for an external server
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createLogger, createPool, OBSERVATION_COLUMNS, type Pool } from "@huishi/platform";
import { createAgent, makeTlsFiles, type TestAgent } from "@huishi/testkit";
import { benchDatabase } from "./support/bench-database.ts";
import { cpuSecondsOfTree } from "./support/process-tree.ts";
import { psqlCopy, writeCopyFiles } from "./support/psql-copy.ts";
import type { PublisherAnswer, PublisherOrder } from "./support/publisher.ts";
import { median, quantile } from "./support/statistics.ts";

const EVENTS = Number(process.argv[2] ?? 600_000);
const AGENTS = Number(process.argv[3] ?? 16);
const BATCH = 50;
const WINDOW = 40;
const ROUNDS = 5;
const PACED_S = 10;
const TARGET = { table: "observation", columns: OBSERVATION_COLUMNS };

const logger = createLogger({ name: "bench", level: "error" });
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
/** Events live until their commit: a young generation of the usual size would copy each of them twice. */
const INGEST_FLAGS = ["--max-semi-space-size=64", "--single-threaded-gc"];
const forked = (file: string, env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): ChildProcess =>
  fork(here(file), [], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source", ...flags],
    env: { PATH: process.env["PATH"], ...env },
  });

async function publish(order: PublisherOrder): Promise<PublisherAnswer> {
  const child = forked("./support/publisher.ts");
  child.send(order);
  const [answer] = (await once(child, "message")) as [PublisherAnswer];
  child.kill();
  return answer;
}

/** The rows that ingest has written, as psql's files. */
async function copyFiles(pool: Pool, folder: string): Promise<string[]> {
  const names = OBSERVATION_COLUMNS.map(({ name, type }) =>
    type === "timestamptz" ? `extract(epoch FROM ${name})::float8 * 1000` : name,
  );
  const { rows } = await pool.query<unknown[]>({
    text: `SELECT ${names.join(", ")} FROM observation ORDER BY source_no, seq`,
    rowMode: "array",
  });
  const typed = rows.map((row) =>
    row.map((value, column) => (column === 0 ? Math.round(value as number) : value)),
  );
  return writeCopyFiles(folder, { columns: OBSERVATION_COLUMNS, connections: 2 }, typed);
}

async function empty(pool: Pool): Promise<void> {
  await pool.query("TRUNCATE observation");
  await pool.query("CHECKPOINT");
}

async function countRows(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: number }>("SELECT count(*)::int AS n FROM observation");
  return rows[0]?.n ?? 0;
}

const database = await benchDatabase(logger);
const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
const pool = createPool(database.databaseUrl, { max: 2, statementTimeoutMs: 120_000 });
const tls = await makeTlsFiles(folder);
const agents: TestAgent[] = [];
for (let index = 0; index < AGENTS; index++) agents.push(await createAgent(pool));
const ingest = forked(
  "../services/ingest/src/main.ts",
  {
    HUISHI_DATABASE_URL: database.databaseUrl,
    HUISHI_MQTT_PORT: "0",
    HUISHI_MQTT_TLS_KEY: tls.keyFile,
    HUISHI_MQTT_TLS_CERT: tls.certFile,
    HUISHI_HEALTH_PORT: "0",
    HUISHI_LOG_LEVEL: "error",
  },
  INGEST_FLAGS,
);
try {
  const [{ port }] = (await once(ingest, "message")) as [{ port: number }];
  const order: PublisherOrder = {
    port,
    caFile: tls.caFile,
    agents,
    batchSize: BATCH,
    batchesPerAgent: Math.ceil(EVENTS / AGENTS / BATCH),
    window: WINDOW,
    batchesPerSecond: null,
  };
  const total = order.batchesPerAgent * BATCH * AGENTS;
  process.stdout.write(
    `${database.description}; ${total} events of ${AGENTS} agents, batches of ${BATCH}, TLS\n`,
  );
  let files: string[] = [];
  const rounds: { ingest: number; psql: number; cpuUs: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    await empty(pool);
    const cpuBefore = cpuSecondsOfTree(ingest.pid as number);
    const { seconds } = await publish(order);
    const cpuUs = ((cpuSecondsOfTree(ingest.pid as number) - cpuBefore) * 1e6) / total;
    if ((await countRows(pool)) !== total) throw new Error("rows are missing");
    if (files.length === 0) files = await copyFiles(pool, folder);
    await empty(pool);
    const startedMs = performance.now();
    await psqlCopy(database.databaseUrl, TARGET, files);
    const psql = (total * 1000) / (performance.now() - startedMs);
    // The first round warms both.
    if (round > 0) rounds.push({ ingest: total / seconds, psql, cpuUs });
  }
  const rate = median(rounds.map((each) => each.ingest));
  process.stdout.write(
    `durable ingest ${Math.round(rate)} events/s, psql binary copy by two ${Math.round(median(rounds.map((each) => each.psql)))} rows/s, ` +
      `ratio ${median(rounds.map((each) => each.ingest / each.psql)).toFixed(2)} ` +
      `(rounds ${rounds.map((each) => (each.ingest / each.psql).toFixed(2)).join(" ")}); ` +
      `${median(rounds.map((each) => each.cpuUs)).toFixed(1)} us of the ingest process an event\n`,
  );
  await empty(pool);
  const batchesPerSecond = rate / 2 / BATCH;
  const paced = await publish({
    ...order,
    batchesPerAgent: Math.ceil((batchesPerSecond * PACED_S) / AGENTS),
    batchesPerSecond,
  });
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(paced.ackMs, share).toFixed(0));
  process.stdout.write(
    `acknowledgement at ${Math.round((paced.ackMs.length * BATCH) / paced.seconds)} events/s: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms\n`,
  );
} finally {
  ingest.kill("SIGKILL");
  await pool.end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
}
