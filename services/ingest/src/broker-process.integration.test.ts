import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  connectAgent,
  createAgent,
  Mosquitto,
  type TestAgent,
  testDatabase,
  type TestDatabase,
  until,
} from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { motion, publishEvents } from "./test-support/running-ingest.ts";

let database: TestDatabase;
let mosquitto: Mosquitto;
let agent: TestAgent;
let ingest: ChildProcess | null = null;

beforeEach(async () => {
  database = await testDatabase();
  mosquitto = await Mosquitto.start({ tls: true });
  await mosquitto.addAccount("huishi-ingest", "a secret");
  agent = await createAgent(database.pool);
  await mosquitto.addAccount(agent.id, agent.secret);
});
afterEach(async () => {
  await killIngest();
  await mosquitto.remove();
  await database.drop();
});

/** The real main.ts, told by its environment to use the broker alone. */
const startIngest = async (version: "4" | "5"): Promise<void> => {
  const child = fork(fileURLToPath(new URL("./main.ts", import.meta.url)), [], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source"],
    env: {
      PATH: process.env["PATH"],
      HUISHI_DATABASE_URL: database.databaseUrl,
      HUISHI_MQTT_PORT: "off",
      HUISHI_MQTT_BROKER_URL: mosquitto.url,
      HUISHI_MQTT_BROKER_USER: "huishi-ingest",
      HUISHI_MQTT_BROKER_PASSWORD_FILE: await mosquitto.passwordFile("a secret"),
      HUISHI_MQTT_BROKER_CA: mosquitto.tls?.caFile,
      HUISHI_MQTT_VERSION: version,
      HUISHI_LOG_LEVEL: "error",
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  ingest = child;
  await once(child, "message");
};

const killIngest = async (): Promise<void> => {
  const child = ingest;
  ingest = null;
  if (!child) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
};

test.each(["4", "5"] as const)(
  "with MQTT version %s the broker keeps what ingest had not committed when it was killed with -9",
  { timeout: 60_000 },
  async (version) => {
    await startIngest(version);
    const client = await connectAgent({ port: mosquitto.port, caFile: mosquitto.tls?.caFile ?? "" }, agent, {
      protocolVersion: version === "4" ? 4 : 5,
    });
    // The first one shows that ingest has subscribed: its session is at the broker from here on.
    await until("the first event", async () => {
      await publishEvents(client, agent.id, [motion(1)]);
      return (await database.pool.query("SELECT 1 FROM edge_event")).rowCount === 1;
    });
    const blocker = await database.pool.connect();
    await blocker.query("BEGIN; LOCK TABLE edge_event IN ACCESS EXCLUSIVE MODE");
    // The agent hears the broker's PUBACK and does not send again.
    await publishEvents(client, agent.id, [motion(2)]);
    await until(
      "the insert waits for the lock",
      async () => ((await blocker.query("SELECT 1 FROM pg_locks WHERE NOT granted")).rowCount ?? 0) > 0,
    );
    await killIngest();
    await publishEvents(client, agent.id, [motion(3)]);
    await client.endAsync();
    await blocker.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'huishi-ingest%' AND datname = current_database()",
    );
    await blocker.query("COMMIT");
    blocker.release();
    await startIngest(version);
    await until("all three", async () => {
      const { rows } = await database.pool.query<{ seq: number }>(
        "SELECT DISTINCT seq::int FROM edge_event ORDER BY seq",
      );
      return rows.map(({ seq }) => seq).join() === "1,2,3";
    });
    const { rows } = await database.pool.query<{ n: number }>("SELECT count(*)::int AS n FROM edge_event");
    expect(rows).toEqual([{ n: 3 }]);
  },
);
