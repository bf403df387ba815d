import { connect as connectSocket } from "node:net";
import { once } from "node:events";
import { demandTopic, eventsTopic, mediaTopic, spareClientId, statusTopic } from "@huishi/contracts";
import { connectAgent, createAgent, createCamera, type TestAgent, until } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { generate } from "mqtt-packet";
import { afterEach, beforeEach, expect, test } from "vitest";
import { motion, publishEvents, runIngest, type RunningIngest } from "./test-support/running-ingest.ts";

let running: RunningIngest;
let agent: TestAgent;
let other: TestAgent;
const clients: MqttClient[] = [];
const connect = async (...args: Parameters<typeof connectAgent>): Promise<MqttClient> => {
  const client = await connectAgent(...args);
  client.on("error", () => {});
  clients.push(client);
  return client;
};
beforeEach(async () => {
  running = await runIngest();
  agent = await createAgent(running.pool);
  other = await createAgent(running.pool);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  await running.close();
});

const closeOf = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => client.once("close", () => resolve()));

const onlineOf = async (agentId: string): Promise<boolean> => {
  const result = await running.pool.query<{ online: boolean }>("SELECT online FROM agent WHERE id = $1", [
    agentId,
  ]);
  return result.rows[0]?.online ?? false;
};

test.each([
  ["a wrong secret", () => connect(running.ingest.port, { ...agent, secret: other.secret }), 4],
  ["an unknown agent", () => connect(running.ingest.port, { id: "nobody", secret: "x" }), 4],
  ["no password", () => connect(running.ingest.port, agent, { password: "" }), 4],
  ["another agent's client id", () => connect(running.ingest.port, agent, { clientId: other.id }), 2],
  [
    "a client id of its own making",
    () => connect(running.ingest.port, agent, { clientId: `${agent.id}_x` }),
    2,
  ],
  [
    "a Will on another agent's status",
    () =>
      connect(running.ingest.port, agent, {
        will: { topic: statusTopic(other.id), payload: Buffer.from("{}"), qos: 1, retain: true },
      }),
    5,
  ],
  [
    "a Will on its own events",
    () =>
      connect(running.ingest.port, agent, {
        will: { topic: eventsTopic(agent.id), payload: Buffer.from("{}"), qos: 1 },
      }),
    5,
  ],
] as const)("%s is refused with its return code", async (_, attempt, code) => {
  await expect(attempt()).rejects.toMatchObject({ code });
});

test("a revoked agent is refused", async () => {
  await running.pool.query("UPDATE agent SET revoked_at = now() WHERE id = $1", [agent.id]);
  await expect(connect(running.ingest.port, agent)).rejects.toMatchObject({ code: 5 });
});

test.each([
  ["another agent's events", "events", (_: TestAgent, b: TestAgent) => eventsTopic(b.id)],
  ["a demand", "events", (a: TestAgent) => demandTopic(a.id, "north")],
  ["a topic that is none of ours", "events", () => "some/where"],
  ["a system topic", "events", () => "$SYS/x/new/clients"],
  ["media on the events connection", "events", (a: TestAgent) => mediaTopic(a.id, "north", "sub")],
  ["events on the media connection", "media", (a: TestAgent) => eventsTopic(a.id)],
] as const)("publishing %s ends the connection and stores nothing", async (_, connection, topicOf) => {
  const client = await connect(running.ingest.port, agent, { connection });
  const closed = closeOf(client);
  client.publish(topicOf(agent, other), JSON.stringify({ v: 1 }), { qos: 0 });
  await closed;
  const stored = await running.pool.query("SELECT 1 FROM edge_event UNION ALL SELECT 1 FROM dead_letter");
  expect(stored.rowCount).toBe(0);
});

/** As an agent on a bad line signs in beside itself. */
const connectSpare = (): Promise<MqttClient> =>
  connect(running.ingest.port, agent, { username: agent.id, clientId: spareClientId(agent.id, 1) });

test("an event that a spare connection repeats is stored once, and the agent's presence is not the spare's", async () => {
  const first = await connect(running.ingest.port, agent);
  await until("the agent is online", () => onlineOf(agent.id));
  const spare = await connectSpare();
  await publishEvents(first, agent.id, [motion(1)]);
  await publishEvents(spare, agent.id, [motion(1), motion(2)]);
  const stored = await running.pool.query("SELECT seq::int AS seq FROM edge_event ORDER BY seq");
  expect(stored.rows).toEqual([{ seq: 1 }, { seq: 2 }]);
  await spare.endAsync();
  await publishEvents(first, agent.id, [motion(3)]);
  expect(await onlineOf(agent.id)).toBe(true);
});

test.each([
  ["a status", (a: TestAgent) => statusTopic(a.id)],
  ["another agent's events", (_: TestAgent, b: TestAgent) => eventsTopic(b.id)],
  ["media", (a: TestAgent) => mediaTopic(a.id, "north", "sub")],
] as const)("publishing %s on a spare connection ends it and stores nothing", async (_, topicOf) => {
  const spare = await connectSpare();
  const closed = closeOf(spare);
  spare.publish(topicOf(agent, other), JSON.stringify({ v: 1 }), { qos: 0 });
  await closed;
  const stored = await running.pool.query("SELECT 1 FROM edge_event UNION ALL SELECT 1 FROM dead_letter");
  expect(stored.rowCount).toBe(0);
});

test("an agent may listen to its own demands only", async () => {
  const client = await connect(running.ingest.port, agent);
  const answers = [];
  for (const filter of [
    demandTopic(agent.id, "+"),
    demandTopic(agent.id, "north"),
    demandTopic(other.id, "+"),
    "huishi/v1/+/demand/+",
    "#",
    "$SYS/#",
    eventsTopic(agent.id),
  ]) {
    const granted = await client.subscribeAsync(filter, { qos: 1 }).catch(() => null);
    answers.push(granted?.[0]?.qos ?? 128);
  }
  expect(answers).toEqual([1, 1, 128, 128, 128, 128, 128]);
});

test("a second connection with the same identity takes over, and the agent stays online", async () => {
  const first = await connect(running.ingest.port, agent, {
    will: {
      topic: statusTopic(agent.id),
      payload: Buffer.from(JSON.stringify({ v: 1, online: false, atMs: 1 })),
      qos: 1,
      retain: true,
    },
  });
  const firstClosed = closeOf(first);
  const second = await connect(running.ingest.port, agent);
  await firstClosed;
  await publishEvents(second, agent.id, [motion(1)]);
  expect(await onlineOf(agent.id)).toBe(true);
});

test("an agent is online while it is connected; its Will and its status are kept", async () => {
  const will = { v: 1, online: false, atMs: 1 };
  const client = await connect(running.ingest.port, agent, {
    will: { topic: statusTopic(agent.id), payload: Buffer.from(JSON.stringify(will)), qos: 1, retain: true },
  });
  const status = { v: 1, online: true, atMs: 2, version: "0.1.0", outboxDepth: 3 };
  await client.publishAsync(statusTopic(agent.id), JSON.stringify(status), { qos: 1, retain: true });
  const statusOf = async (): Promise<unknown> =>
    (await running.pool.query("SELECT online, status FROM agent WHERE id = $1", [agent.id])).rows[0];
  await until("status written", async () => JSON.stringify(await statusOf()).includes("0.1.0"));
  expect(await statusOf()).toEqual({ online: true, status });
  client.stream.destroy();
  await until("offline", async () => !(await onlineOf(agent.id)));
  expect(await statusOf()).toEqual({ online: false, status: will });
});

test("a goodbye marks the agent offline", async () => {
  const client = await connect(running.ingest.port, agent);
  await until("online", () => onlineOf(agent.id));
  await client.endAsync();
  await until("offline", async () => !(await onlineOf(agent.id)));
});

test("an agent's media connection does not make it online", async () => {
  await createCamera(running.pool, agent.id, "north");
  await connect(running.ingest.port, agent, { connection: "media" });
  const events = await connect(running.ingest.port, agent);
  await until("online", () => onlineOf(agent.id));
  await events.endAsync();
  await until("offline", async () => !(await onlineOf(agent.id)));
});

const rawConnect = (): Buffer =>
  generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId: agent.id,
    keepalive: 60,
    username: agent.id,
    password: Buffer.from(agent.secret),
  });

test.each([
  ["a CONNECT that announces 146 MB", Buffer.from([0x10, 0x80, 0x80, 0xd0, 0x45])],
  ["something that is no CONNECT", Buffer.from([0x30, 0x02, 0x00, 0x00])],
  ["a browser", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a length that never ends", Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
])("%s is cut off before anything buffers it", async (_, bytes) => {
  const socket = connectSocket(running.ingest.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(bytes);
  await once(socket, "close");
  await until("gone", async () =>
    (await running.ingest.metrics.text()).includes("huishi_ingest_connections_count 0"),
  );
});

test.each([
  ["events", "events" as const, 512 * 1024 + 513],
  ["media", "media" as const, 64 * 1024 + 513],
])(
  "an oversized packet on the %s connection ends it before its body is read",
  async (_, connection, bytes) => {
    const client = await connect(running.ingest.port, agent, { connection });
    const closed = closeOf(client);
    const topic = connection === "events" ? eventsTopic(agent.id) : mediaTopic(agent.id, "north", "sub");
    client.publish(topic, Buffer.alloc(bytes), { qos: 0 });
    await closed;
    expect(await running.ingest.metrics.text()).toContain('reason="PACKET_TOO_LARGE"} 1');
  },
);

test("a message of the largest allowed size is taken", async () => {
  const client = await connect(running.ingest.port, agent);
  await client.publishAsync(eventsTopic(agent.id), Buffer.alloc(512 * 1024, 0x20), { qos: 1 });
  const letters = await running.pool.query("SELECT code, length(payload) AS bytes FROM dead_letter");
  expect(letters.rows).toEqual([{ code: "MALFORMED_JSON", bytes: 512 * 1024 }]);
});

test("a half CONNECT does not keep its place", { timeout: 15_000 }, async () => {
  const socket = connectSocket(running.ingest.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(rawConnect().subarray(0, 20));
  await once(socket, "close");
});
