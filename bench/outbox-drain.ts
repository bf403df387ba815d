/**
 * An agent comes back after a long outage: its outbox drains a backlog beside live traffic, into the real endpoint
 * with the embedded PostgreSQL. Prints how fast events come in (one writer, and a hundred at once), how fast the
 * backlog drains, the lag of what is live (recorded to committed and acknowledged), and the processor time; agent and
 * ingest share this process.
 *
 *   npm run bench:outbox -- [BACKLOG] [LIVE EVENTS A SECOND]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { startIngest } from "@huishi/ingest";
import { systemClock } from "@huishi/kernel";
import { createLogger, createPool, EmbeddedPostgres, InProcessMediaBus, migrate } from "@huishi/platform";
import { createAgent, type TestAgent } from "@huishi/testkit";
import { MqttEventLink } from "../edge-agent/src/adapters/mqtt/mqtt-event-link.ts";
import { SqliteOutbox } from "../edge-agent/src/adapters/sqlite-outbox/sqlite-outbox.ts";
import { EventRecorder, OutboxRelay } from "../edge-agent/src/application/outbox-relay.ts";
import type { EventDraft, EventLink } from "../edge-agent/src/application/ports.ts";
import { describeMs } from "./support/statistics.ts";

const BACKLOG = Number(process.argv[2] ?? 100_000);
const LIVE_PER_S = Number(process.argv[3] ?? 200);
const WRITERS = 100;
const SINGLE = 2_000;
/** Live traffic goes on a little after the drain. */
const AFTER_MS = 3_000;

const logger = createLogger({ name: "bench", level: "warn" });

const reading = (sensorId: string, capturedAtMs: number): EventDraft => ({
  type: "observation",
  sensorId,
  observedProperty: "water_level",
  value: (capturedAtMs % 1000) / 1000,
  unit: "m",
  capturedAtMs,
});

/** Appends with `writers` at once. @returns events a second */
async function append(outbox: SqliteOutbox, count: number, writers: number): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) {
      const nowMs = Date.now();
      await outbox.append(reading(`backlog-${next++ % 40}`, nowMs), nowMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return (count * 1000) / (performance.now() - startedMs);
}

/** The link, watched: when each live event and the last of the backlog was acknowledged. */
class WatchedLink {
  readonly lagsMs: number[] = [];
  readonly #link: MqttEventLink;
  backlog = 0;
  sent = 0;

  constructor(link: MqttEventLink) {
    this.#link = link;
  }

  get asLink(): EventLink {
    const link = this.#link;
    return {
      get isConnected() {
        return link.isConnected;
      },
      run: (signal) => link.run(signal),
      publishStatus: (status) => link.publishStatus(status),
      waitUntilConnected: (signal) => link.waitUntilConnected(signal),
      publishBatch: (batch) => this.#publish(batch),
    };
  }

  async #publish(batch: Parameters<EventLink["publishBatch"]>[0]): Promise<void> {
    await this.#link.publishBatch(batch);
    const nowMs = Date.now();
    for (const event of batch.events) {
      this.sent += 1;
      if ("sensorId" in event && event.sensorId.startsWith("live")) this.lagsMs.push(nowMs - event.agentAtMs);
      else this.backlog += 1;
    }
  }
}

async function drain(port: number, agent: TestAgent, outbox: SqliteOutbox): Promise<void> {
  const watched = new WatchedLink(
    new MqttEventLink({
      identity: { agentId: agent.id, secret: agent.secret, mqttUrl: `mqtt://127.0.0.1:${port}` },
      clock: systemClock,
      log: logger,
      onDemand: () => undefined,
    }),
  );
  const backlog = outbox.depth;
  const stop = new AbortController();
  const link = watched.asLink;
  const recorder = new EventRecorder(outbox, systemClock, logger);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const running = Promise.allSettled([link.run(stop.signal), new OutboxRelay(outbox, link).run(stop.signal)]);
  // What is recorded before the connection belongs to the backlog.
  await link.waitUntilConnected(stop.signal);
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  let drainedMs = 0;
  let live = 0;
  while (drainedMs === 0 || performance.now() - startedMs < drainedMs + AFTER_MS) {
    const elapsedMs = performance.now() - startedMs;
    for (; live < (elapsedMs / 1000) * LIVE_PER_S; live++)
      recorder.record(reading(`live-${live % 40}`, Date.now()));
    if (drainedMs === 0 && watched.backlog >= backlog) drainedMs = elapsedMs;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { user, system } = process.cpuUsage(cpu);
  const elapsedS = (performance.now() - startedMs) / 1000;
  while (outbox.depth > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort(new Error("done"));
  await running;
  process.stdout.write(
    `drain of ${backlog} events beside ${LIVE_PER_S} live events/s: ${Math.round((backlog * 1000) / drainedMs)} events/s\n` +
      `live lag, recorded to acknowledged: ${describeMs(watched.lagsMs)}\n` +
      `processor time of agent and ingest: ${((user + system) / 1e4 / elapsedS).toFixed(0)} % of a core; ` +
      `event loop late: p99 ${(loop.percentile(99) / 1e6).toFixed(0)} ms, max ${(loop.max / 1e6).toFixed(0)} ms\n`,
  );
}

const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
const database = await EmbeddedPostgres.start({ dataDir: path.join(folder, "database"), logger });
try {
  await migrate(database.databaseUrl, logger);
  const pool = createPool(database.databaseUrl, { max: 1 });
  const agent = await createAgent(pool);
  const ingest = await startIngest({
    databaseUrl: database.databaseUrl,
    host: "127.0.0.1",
    port: 0,
    mediaBus: new InProcessMediaBus(),
    logger,
  });
  const outbox = await SqliteOutbox.open({ folder: path.join(folder, "outbox"), log: logger });
  const single = await append(outbox, SINGLE, 1);
  const grouped = await append(outbox, BACKLOG - SINGLE, WRITERS);
  process.stdout.write(
    `append, each durable: ${Math.round(single)} events/s from one writer, ${Math.round(grouped)} events/s from ${WRITERS}\n`,
  );
  await drain(ingest.port, agent, outbox);
  const stored = await pool.query<{ n: string }>("SELECT count(*) AS n FROM edge_event");
  const { lost } = await outbox.stats();
  process.stdout.write(`stored ${stored.rows[0]?.n}, given up ${lost}\n`);
  await outbox.close();
  await ingest.close();
  await pool.end();
} finally {
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
