/**
 * Durable ingest by each entrance in one run, in turns: the endpoint in the process and mosquitto with MQTT 5 and
 * 3.1.1. Agents send batches of 50 with a window of 20; what counts is the EventAck, which follows the commit.
 *
 *   npx tsx --conditions=huishi-source bench/mqtt-entrances.ts [events per agent] [agents]
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ackTopic, eventsTopic } from "@huishi/contracts";
import { type IngestOptions, startIngest } from "@huishi/ingest";
import { createLogger, createPool, EmbeddedPostgres, InProcessMediaBus, migrate } from "@huishi/platform";
import {
  connectAgent,
  createAgent,
  makeTlsFiles,
  Mosquitto,
  type MqttPlace,
  type TestAgent,
  until,
} from "@huishi/testkit";

const EVENTS = Number(process.argv[2] ?? 20_000);
const AGENTS = Number(process.argv[3] ?? 4);
const BATCH = 50;
const WINDOW = 20;
const ROUNDS = 3;
const PASSWORD = randomBytes(16).toString("hex");
const logger = createLogger({ name: "bench", level: "warn" });

interface Entrance {
  readonly name: string;
  readonly version: 4 | 5;
  readonly options: Pick<IngestOptions, "port" | "broker" | "tls">;
  place(port: number): MqttPlace;
  readonly seconds: number[];
  readonly latenciesMs: number[];
}

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

/** Sends all batches, each worker the next one when its last was acknowledged by an EventAck. */
async function sendAll(entrance: Entrance, place: MqttPlace, agent: TestAgent): Promise<void> {
  const client = await connectAgent(place, agent, { protocolVersion: entrance.version });
  const boot = randomBytes(8).toString("hex");
  const waiting = new Map<number, () => void>();
  client.on("message", (_topic, payload) => {
    const { batch } = JSON.parse(payload.toString()) as { batch: number };
    waiting.get(batch)?.();
  });
  await client.subscribeAsync(ackTopic(agent.id), { qos: 1 });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < EVENTS) {
      const batch = next;
      next += BATCH;
      const events = Array.from({ length: BATCH }, (_, index) => eventOf(batch + index));
      const startedMs = performance.now();
      const acknowledged = new Promise<void>((resolve) => waiting.set(batch, resolve));
      client.publish(eventsTopic(agent.id), JSON.stringify({ v: 1, boot, batch, events }), { qos: 1 });
      await acknowledged;
      waiting.delete(batch);
      entrance.latenciesMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
  await client.endAsync(true);
}

const quantile = (values: readonly number[], at: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * at)] as number;

const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
const database = await EmbeddedPostgres.start({ dataDir: path.join(folder, "database"), logger });
const mosquitto = await Mosquitto.start({ tls: true });
try {
  await migrate(database.databaseUrl, logger);
  const pool = createPool(database.databaseUrl, { max: 2 });
  const tls = await makeTlsFiles(folder);
  await mosquitto.addAccount("huishi-ingest", PASSWORD);
  const passwordFile = await mosquitto.passwordFile(PASSWORD);
  const agents = await Promise.all(Array.from({ length: AGENTS }, () => createAgent(pool)));
  for (const { id, secret } of agents) await mosquitto.addAccount(id, secret);
  const { url, port, tls: brokerTls } = mosquitto;
  const caFile = brokerTls?.caFile ?? "";
  const broker = (version: 4 | 5): Entrance => ({
    name: `mosquitto, MQTT ${version === 5 ? "5" : "3.1.1"}`,
    version,
    options: {
      port: null,
      broker: { url, version, user: "huishi-ingest", passwordFile, caFile, window: 50 },
    },
    place: () => ({ port, caFile }),
    seconds: [],
    latenciesMs: [],
  });
  const entrances: Entrance[] = [
    {
      name: "in-process endpoint",
      version: 4,
      options: { port: 0, tls },
      place: (ingestPort) => ({ port: ingestPort, caFile: tls.caFile }),
      seconds: [],
      latenciesMs: [],
    },
    broker(5),
    broker(4),
  ];
  for (let round = 0; round < ROUNDS; round++) {
    for (const entrance of entrances) {
      const ingest = await startIngest({
        databaseUrl: database.databaseUrl,
        host: "127.0.0.1",
        mediaBus: new InProcessMediaBus(),
        logger,
        ...entrance.options,
      });
      await until("the entrance is open", () => ingest.entrances.every(({ isConnected }) => isConnected));
      const startedMs = performance.now();
      await Promise.all(agents.map((agent) => sendAll(entrance, entrance.place(ingest.port), agent)));
      entrance.seconds.push((performance.now() - startedMs) / 1000);
      await ingest.close();
      await pool.query("TRUNCATE observation");
    }
  }
  await pool.end();
  process.stdout.write(
    `${AGENTS} agents over TLS, batches of ${BATCH}, window ${WINDOW}, ${EVENTS} events each, median of ${ROUNDS}\n`,
  );
  const rates = entrances.map(({ seconds }) => (EVENTS * AGENTS) / quantile(seconds, 0.5));
  for (const [index, { name, latenciesMs }] of entrances.entries()) {
    const rate = rates[index] ?? 0;
    process.stdout.write(
      `${name.padEnd(24)} ${Math.round(rate)} events/s, ratio ${(rate / (rates[0] ?? 1)).toFixed(2)}, EventAck p50 ${quantile(latenciesMs, 0.5).toFixed(0)} ms, p99 ${quantile(latenciesMs, 0.99).toFixed(0)} ms\n`,
    );
  }
} finally {
  await mosquitto.remove();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
