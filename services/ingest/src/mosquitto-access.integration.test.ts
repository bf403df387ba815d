import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import {
  ackTopic,
  commandTopic,
  configTopic,
  demandTopic,
  eventsTopic,
  mediaTopic,
  replyTopic,
  statusTopic,
  uploadTopic,
} from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { connectAgent, Mosquitto, type MqttPlace, type TestAgent, until } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

/** The files of deploy/mosquitto as they are shipped, on a real mosquitto; no ingest. */
let mosquitto: Mosquitto;
let place: MqttPlace;
const agent: TestAgent = { id: "north-gate", secret: "one secret" };
const other: TestAgent = { id: "south-gate", secret: "another secret" };
const ingest: TestAgent = { id: "huishi-ingest", secret: "the centre's" };
const clients: MqttClient[] = [];

beforeAll(async () => {
  mosquitto = await Mosquitto.start({ tls: true });
  for (const { id, secret } of [agent, other, ingest]) await mosquitto.addAccount(id, secret);
  place = { port: mosquitto.port, caFile: mosquitto.tls?.caFile ?? "" };
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
});
afterAll(() => mosquitto.remove());

const connect = async (...[who, options]: [TestAgent, Parameters<typeof connectAgent>[2]?]) => {
  const client = await connectAgent(place, who, { protocolVersion: 5, ...options });
  client.on("error", () => {});
  clients.push(client);
  return client;
};
const closeOf = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => client.once("close", () => resolve()));
/** What a client hears on these filters. */
const listen = async (client: MqttClient, ...filters: string[]): Promise<string[]> => {
  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  for (const filter of filters) await client.subscribeAsync(filter, { qos: 1 }).catch(() => null);
  return heard;
};
/** What ingest has heard once this marker came through: whatever was sent before it would have come by then. */
const heardByIngest = async (): Promise<{ heard: string[]; settle(): Promise<void> }> => {
  const client = await connect(ingest);
  const heard = await listen(client, "huishi/v1/+/events", "huishi/v1/+/status");
  return {
    heard,
    async settle() {
      const marker = await connect(other);
      await marker.publishAsync(statusTopic(other.id), "{}", { qos: 1 });
      await until("the marker", () => heard.includes(statusTopic(other.id)));
    },
  };
};

test.each([
  ["no account", { id: "nobody", secret: "x" }],
  ["a wrong password", { ...agent, secret: other.secret }],
])("%s is refused", async (_, who) => {
  await expect(connect(who)).rejects.toThrow("Connection refused");
});

test("ingest hears an agent's events, status and media, and the agent its acknowledgements and demands", async () => {
  const { heard } = await heardByIngest();
  const media = await connect(ingest, { connection: "media" });
  const pictures = await listen(media, "huishi/v1/+/media/+/+");
  const gate = await connect(agent);
  const answers = await listen(gate, ackTopic(agent.id), demandTopic(agent.id, "+"));
  await gate.publishAsync(eventsTopic(agent.id), "{}", { qos: 1 });
  await gate.publishAsync(statusTopic(agent.id), "{}", { qos: 1 });
  const gateMedia = await connect(agent, { connection: "media" });
  await gateMedia.publishAsync(mediaTopic(agent.id, "cam", "sub"), "{}");
  const [centre] = clients;
  await centre?.publishAsync(ackTopic(agent.id), "{}", { qos: 1 });
  await centre?.publishAsync(demandTopic(agent.id, "cam"), "{}", { qos: 1 });
  await until("all", () => heard.length === 2 && pictures.length === 1 && answers.length === 2);
  expect(gate.connected && gateMedia.connected).toBe(true);
});

test("configuration and commands reach the agent, replies and uploads the centre", async () => {
  const centre = await connect(ingest);
  const answers = await listen(centre, "huishi/v1/+/reply");
  const centreMedia = await connect(ingest, { connection: "media" });
  const uploads = await listen(centreMedia, "huishi/v1/+/upload/+");
  const gate = await connect(agent);
  const heard = await listen(gate, configTopic(agent.id), commandTopic(agent.id));
  await centre.publishAsync(configTopic(agent.id), "{}", { qos: 1 });
  await centre.publishAsync(commandTopic(agent.id), "{}", { qos: 1 });
  await gate.publishAsync(replyTopic(agent.id), "{}", { qos: 1 });
  const gateMedia = await connect(agent, { connection: "media" });
  await gateMedia.publishAsync(uploadTopic(agent.id, "clip-1"), "{}", { qos: 1 });
  await until("all", () => answers.length === 1 && uploads.length === 1 && heard.length === 2);
  expect(gate.connected && gateMedia.connected).toBe(true);
});

test.each([
  ["another agent's events", "events", eventsTopic(other.id)],
  ["events from the media account", "media", eventsTopic(agent.id)],
] as const)("%s do not pass", async (_, connection, topic) => {
  const { heard, settle } = await heardByIngest();
  const client = await connect(agent, { connection });
  client.publish(topic, "{}", { qos: 1 }, () => {});
  await settle();
  expect(heard.filter((each) => each !== statusTopic(other.id))).toEqual([]);
});

test.each([
  ["another agent's acknowledgement", ackTopic(other.id)],
  ["another agent's demand", demandTopic(other.id, "cam")],
  ["a demand to itself", demandTopic(agent.id, "cam")],
  ["another agent's configuration", configTopic(other.id)],
  ["another agent's command", commandTopic(other.id)],
  ["a command to itself", commandTopic(agent.id)],
])("an agent cannot say %s", async (_, topic) => {
  const victim = await connect(topic.includes(other.id) ? other : agent);
  const heard = await listen(victim, topic);
  const intruder = await connect(topic.includes(other.id) ? agent : other);
  intruder.publish(topic, "{}", { qos: 1 }, () => {});
  victim.publish(topic, "{}", { qos: 1 }, () => {});
  await sleep(300);
  expect(heard).toEqual([]);
});

test("an agent's wildcards hear nothing of others", async () => {
  const spy = await connect(agent);
  const heard = await listen(spy, "#", "huishi/#", "huishi/v1/+/ack", "huishi/v1/+/events", "$SYS/#");
  const centre = await connect(ingest);
  await centre.publishAsync(ackTopic(other.id), "{}", { qos: 1 });
  const gate = await connect(other);
  await gate.publishAsync(eventsTopic(other.id), "{}", { qos: 1 });
  await centre.publishAsync(ackTopic(agent.id), "{}", { qos: 1 });
  await until("its own", () => heard.length > 0);
  expect(new Set(heard)).toEqual(new Set([ackTopic(agent.id)]));
});

test("a Will on another agent's status is never left", async () => {
  const { heard, settle } = await heardByIngest();
  const will = { topic: statusTopic("east-gate"), payload: Buffer.from("{}"), qos: 1 as const };
  const client = await connect(agent, { will }).catch(() => null);
  client?.stream.destroy();
  await settle();
  expect(heard).not.toContain(statusTopic("east-gate"));
});

test("a client that names another one's id gets its own account's", async () => {
  const victim = await connect(agent);
  const answers = await listen(victim, ackTopic(agent.id));
  const thief = await connect(other, { clientId: agent.id });
  const stolen = await listen(thief, ackTopic(agent.id));
  const centre = await connect(ingest);
  await centre.publishAsync(ackTopic(agent.id), "{}", { qos: 1 });
  await until("the acknowledgement", () => answers.length === 1);
  expect({ connected: victim.connected, stolen }).toEqual({ connected: true, stolen: [] });
});

test("a second client of the same account takes over", async () => {
  const first = await connect(agent);
  const closed = closeOf(first);
  const second = await connect(agent);
  await closed;
  expect(second.connected).toBe(true);
});

test("a packet above the limit ends the connection, before sign-in too", async () => {
  const client = await connect(agent);
  const closed = closeOf(client);
  client.options.protocolVersion = 4;
  client.publish(eventsTopic(agent.id), Buffer.alloc(600 * 1024), { qos: 0 });
  await closed;
  const socket = connectTls({
    port: mosquitto.port,
    host: "127.0.0.1",
    ca: await readFile(mosquitto.tls?.caFile ?? ""),
  });
  socket.on("error", () => {});
  // A CONNECT that announces 146 MB.
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0xd0, 0x45, 0, 4]));
  socket.write(Buffer.alloc(100_000));
  await once(socket, "close");
});

test("a removed account cannot sign in any more", async () => {
  const gone: TestAgent = { id: "west-gate", secret: "a secret" };
  await mosquitto.addAccount(gone.id, gone.secret);
  await until("it may sign in", () => connect(gone));
  await mosquitto.removeAccount(gone.id);
  await until("it may not", async () => (await connect(gone).catch(() => null)) === null);
  await expect(connect(agent)).resolves.toBeDefined();
});
