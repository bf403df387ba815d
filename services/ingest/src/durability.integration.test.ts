import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { eventsTopic } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { createLogger, createPool, EmbeddedPostgres, migrate, type Pool } from "@huishi/platform";
import { connectAgent, createAgent, createCamera, type TestAgent } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BOOT, motion, trigger } from "./test-support/running-ingest.ts";

const logger = createLogger({ name: "test", level: "silent" });
const EVENTS = 2_000;
const BATCH = 20;
const BATCHES = EVENTS / BATCH;

let folder: string;
let database: EmbeddedPostgres;
let ingest: ChildProcess;
let mqttPort = 0;
let agent: TestAgent;

const startDatabase = async (): Promise<void> => {
  database = await EmbeddedPostgres.start({ dataDir: path.join(folder, "database"), logger });
};

/** The real main.ts as a process of its own. */
const startIngestProcess = async (): Promise<void> => {
  const entry = fileURLToPath(new URL("./main.ts", import.meta.url));
  ingest = fork(entry, [], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source"],
    env: {
      PATH: process.env["PATH"],
      HUISHI_DATABASE_URL: database.databaseUrl,
      HUISHI_MQTT_PORT: String(mqttPort),
      HUISHI_HEALTH_PORT: "0",
      HUISHI_LOG_LEVEL: "error",
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await Promise.race([
    once(ingest, "message"),
    once(ingest, "exit").then(([code]) => {
      throw new Error(`ingest ended at its start with ${String(code)}`);
    }),
  ])) as [{ port: number }];
  mqttPort = message.port;
};

const killIngest = async (): Promise<void> => {
  const gone = once(ingest, "exit");
  ingest.kill("SIGKILL");
  await gone;
};
const killDatabase = async (): Promise<void> => {
  process.kill(database.pid, "SIGKILL");
  await database.exited;
};

const ask = async <T>(work: (pool: Pool) => Promise<T>): Promise<T> => {
  const pool = createPool(database.databaseUrl, { max: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-durability-"));
  mqttPort = 0;
  await startDatabase();
  await migrate(database.databaseUrl, logger);
  agent = await ask(async (pool) => {
    const made = await createAgent(pool);
    await createCamera(pool, made.id, "north");
    return made;
  });
  await startIngestProcess();
});
afterEach(async () => {
  await killIngest();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
});

/** An edge with an outbox: it sends a batch again and again until it is acknowledged, on whatever connection. */
class Edge {
  acknowledged = 0;
  attempts = 0;
  #client: MqttClient | null = null;

  async sendAll(): Promise<void> {
    const waiting = Array.from({ length: BATCHES }, (_, index) => index);
    const worker = async (): Promise<void> => {
      for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) await this.#send(batch);
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    await this.#client?.endAsync(true);
  }

  async #send(batch: number): Promise<void> {
    const events = Array.from({ length: BATCH }, (_, index) => {
      const seq = batch * BATCH + index;
      return seq % 10 === 0 ? trigger(seq, "north") : motion(seq);
    });
    const payload = JSON.stringify({ v: 1, boot: BOOT, events });
    for (;;) {
      this.attempts += 1;
      try {
        const client = await this.#connection();
        await acknowledged(client, payload);
        this.acknowledged += 1;
        return;
      } catch {
        await sleep(50);
      }
    }
  }

  #connecting: Promise<MqttClient> | null = null;
  #connection(): Promise<MqttClient> {
    if (this.#client?.connected) return Promise.resolve(this.#client);
    this.#connecting ??= connectAgent(mqttPort, agent)
      .then((client) => {
        client.on("error", () => {});
        this.#client = client;
        return client;
      })
      .finally(() => (this.#connecting = null));
    return this.#connecting;
  }
}

/** Resolves with the PUBACK, rejects when the connection ends first. */
function acknowledged(client: MqttClient, payload: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error("the connection ended before the PUBACK"));
    client.once("close", onClose);
    client.publish(eventsTopic(agent.id), payload, { qos: 1 }, (error) => {
      client.off("close", onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

test(
  `${EVENTS} events published while ingest and the database are killed with -9 are all there exactly once`,
  { timeout: 180_000 },
  async () => {
    const edge = new Edge();
    const sending = edge.sendAll();
    const afterAcknowledged = async (count: number): Promise<void> => {
      while (edge.acknowledged < count) await sleep(1);
    };

    for (const [threshold, victims] of [
      [5, "both"],
      [20, "database"],
      [40, "ingest"],
      [60, "database"],
      [80, "both"],
    ] as const) {
      await afterAcknowledged(threshold);
      if (victims !== "database") await killIngest();
      if (victims !== "ingest") await killDatabase();
      if (victims !== "ingest") await startDatabase();
      if (victims !== "database") await startIngestProcess();
    }
    await sending;

    expect(edge.acknowledged).toBe(BATCHES);
    expect(edge.attempts).toBeGreaterThan(BATCHES);
    const counts = await ask(async (pool) => {
      const events = await pool.query(
        "SELECT count(*)::int AS n, min(seq)::int AS first, max(seq)::int AS last FROM edge_event",
      );
      const alarms = await pool.query(
        "SELECT count(*)::int AS n, count(DISTINCT source_event)::int AS kinds FROM alarm",
      );
      const changes = await pool.query("SELECT count(*)::int AS n FROM change WHERE kind = 'alarm'");
      const letters = await pool.query("SELECT count(*)::int AS n FROM dead_letter");
      return {
        events: events.rows[0],
        alarms: alarms.rows[0],
        changes: changes.rows[0],
        letters: letters.rows[0],
      };
    });
    expect(counts).toEqual({
      events: { n: EVENTS, first: 0, last: EVENTS - 1 },
      alarms: { n: EVENTS / 10, kinds: EVENTS / 10 },
      changes: { n: EVENTS / 10 },
      letters: { n: 0 },
    });
  },
);
