/**
 * Durable ingest through the real endpoint (MQTT QoS 1, batches of 50, acknowledged after the commit) against a
 * bare binary COPY of the same rows into the same table by the same machine, in the same run.
 *
 *   npx tsx --conditions=huishi-source bench/ingest.ts [events per agent] [agents]
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventsTopic } from "@huishi/contracts";
import { startIngest } from "@huishi/ingest";
import {
  copyRows,
  createLogger,
  createPool,
  EmbeddedPostgres,
  InProcessMediaBus,
  migrate,
  type Pool,
  withTransaction,
} from "@huishi/platform";
import { connectAgent, createAgent, type TestAgent } from "@huishi/testkit";

const EVENTS = Number(process.argv[2] ?? 50_000);
const AGENTS = Number(process.argv[3] ?? 4);
const BATCH = 50;
const WINDOW = 20;
const ROUNDS = 3;

const logger = createLogger({ name: "bench", level: "warn" });

const eventOf = (seq: number): object => ({
  type: "observation",
  seq,
  capturedAtMs: 1_700_000_000_000 + seq,
  agentAtMs: 1_700_000_000_050 + seq,
  sensorId: `sensor-${seq % 40}`,
  observedProperty: "water_level",
  value: seq / 1000,
  unit: "m",
});

/** Sends all batches with a window of unacknowledged ones, as the edge does. */
async function publishAll(port: number, agent: TestAgent): Promise<void> {
  const client = await connectAgent(port, agent);
  const boot = randomBytes(8).toString("hex");
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < EVENTS) {
      const start = next;
      next += BATCH;
      const events = Array.from({ length: BATCH }, (_, index) => eventOf(start + index));
      const payload = JSON.stringify({ v: 1, boot, events });
      await client.publishAsync(eventsTopic(agent.id), payload, { qos: 1 });
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
  await client.endAsync();
}

const COLUMNS = [
  { name: "agent_id", type: "text" },
  { name: "boot", type: "text" },
  { name: "seq", type: "int8" },
  { name: "type", type: "text" },
  { name: "subject_id", type: "text" },
  { name: "captured_at", type: "timestamptz" },
  { name: "agent_at", type: "timestamptz" },
  { name: "body", type: "jsonb" },
] as const;

/** The same rows by COPY, 1,000 a transaction, on one connection. */
async function copyAll(pool: Pool, agent: TestAgent): Promise<void> {
  const boot = randomBytes(8).toString("hex");
  for (let start = 0; start < EVENTS; start += 1_000) {
    const rows = Array.from({ length: Math.min(1_000, EVENTS - start) }, (_, index) => {
      const seq = start + index;
      const capturedAtMs = 1_700_000_000_000 + seq;
      return [
        agent.id,
        boot,
        seq,
        "observation",
        `sensor-${seq % 40}`,
        capturedAtMs,
        capturedAtMs + 50,
        eventOf(seq),
      ];
    });
    await withTransaction(pool, (client) =>
      copyRows(client, { table: "edge_event", columns: COLUMNS }, rows),
    );
  }
}

const rate = (startedMs: number): number => (EVENTS * AGENTS * 1000) / (performance.now() - startedMs);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;

const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
const database = await EmbeddedPostgres.start({ dataDir: path.join(folder, "database"), logger });
try {
  await migrate(database.databaseUrl, logger);
  const pool = createPool(database.databaseUrl, { max: 2 });
  const agents = await Promise.all(Array.from({ length: AGENTS }, () => createAgent(pool)));
  const ingest = await startIngest({
    databaseUrl: database.databaseUrl,
    host: "127.0.0.1",
    port: 0,
    mediaBus: new InProcessMediaBus(),
    logger,
  });
  const through: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let startedMs = performance.now();
    await Promise.all(agents.map((agent) => publishAll(ingest.port, agent)));
    through.push(rate(startedMs));
    await pool.query("TRUNCATE edge_event");
    startedMs = performance.now();
    // One connection takes them one after the other; two run side by side, as ingest's two lanes do.
    await Promise.all(
      [0, 1].map(async (lane) => {
        for (const agent of agents.filter((_, index) => index % 2 === lane)) await copyAll(pool, agent);
      }),
    );
    bare.push(rate(startedMs));
    await pool.query("TRUNCATE edge_event");
  }
  await ingest.close();
  await pool.end();
  const [mqtt, copy] = [median(through), median(bare)];
  process.stdout.write(
    `durable ingest through MQTT QoS 1, ${AGENTS} agents, batches of ${BATCH}: ${Math.round(mqtt)} events/s\n` +
      `bare binary COPY of the same rows, two connections:        ${Math.round(copy)} events/s\n` +
      `ratio ingest / COPY: ${(mqtt / copy).toFixed(2)} (publisher, endpoint and database share this machine)\n`,
  );
} finally {
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
