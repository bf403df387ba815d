import {
  type AccessUnit,
  demandFilter,
  fragmentAccessUnit,
  type MediaDemand,
  MediaDemandSchema,
  mediaTopic,
} from "@huishi/contracts";
import { connectAgent, createAgent, createCamera, type TestAgent, until } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { Compile } from "typebox/compile";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inventory, publishEvents, runIngest, type RunningIngest } from "./test-support/running-ingest.ts";

let running: RunningIngest;
let agent: TestAgent;
const clients: MqttClient[] = [];
const connect = async (connection: "events" | "media", who = agent): Promise<MqttClient> => {
  const client = await connectAgent(running.ingest.port, who, { connection });
  clients.push(client);
  return client;
};
beforeEach(async () => {
  running = await runIngest();
  agent = await createAgent(running.pool);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  await running.close();
});

const unit = (unitNumber: number, bytes: number): AccessUnit => ({
  codec: "h264",
  keyframe: unitNumber === 0,
  discontinuity: false,
  unitNumber,
  capturedAtMs: 1_700_000_000_000 + unitNumber * 40,
  ptsMs: unitNumber * 40,
  data: new Uint8Array(bytes).fill(unitNumber + 1),
});
const demandChecker = Compile(MediaDemandSchema);
const listen = async (client: MqttClient): Promise<MediaDemand[]> => {
  const demands: MediaDemand[] = [];
  client.on("message", (_topic, payload) => {
    const demand: unknown = JSON.parse(payload.toString());
    if (!demandChecker.Check(demand)) throw new Error("a demand that breaks the contract");
    demands.push(demand);
  });
  await client.subscribeAsync(demandFilter(agent.id), { qos: 1 });
  return demands;
};

test("access units reach who watches, whole and in order, from one fragment or many", async () => {
  await createCamera(running.pool, agent.id, "north");
  const got: AccessUnit[] = [];
  running.mediaBus.subscribe({ cameraId: "north", profile: "sub" }, (received) => got.push(received));
  const media = await connect("media");
  const sent = [unit(0, 200_000), unit(1, 50), unit(2, 70_000)];
  // The camera is not known yet: the first fragments make ingest look for it.
  await until("the camera is known", async () => {
    media.publish(mediaTopic(agent.id, "north", "sub"), Buffer.from([0]), { qos: 0 });
    return (
      (await running.ingest.metrics.text()).includes('fragments_total{outcome="taken"}') &&
      !(await running.ingest.metrics.text()).includes('fragments_total{outcome="taken"} 0')
    );
  });
  for (const each of sent) {
    for (const fragment of fragmentAccessUnit(each)) {
      media.publish(mediaTopic(agent.id, "north", "sub"), Buffer.from(fragment), { qos: 0 });
    }
  }
  await until("all units", () => got.length === 3);
  expect(got.map(({ unitNumber, keyframe, data }) => [unitNumber, keyframe, data.byteLength])).toEqual([
    [0, true, 200_000],
    [1, false, 50],
    [2, false, 70_000],
  ]);
  expect(got[1]?.data.buffer.byteLength).toBe(50);
});

test("another agent's camera cannot be spoken for", async () => {
  const other = await createAgent(running.pool);
  await createCamera(running.pool, other.id, "theirs");
  const got: AccessUnit[] = [];
  running.mediaBus.subscribe({ cameraId: "theirs", profile: "sub" }, (received) => got.push(received));
  const media = await connect("media");
  const fragments = fragmentAccessUnit(unit(0, 100)).map((fragment) => Buffer.from(fragment));
  await until("counted as foreign", async () => {
    for (const fragment of fragments)
      media.publish(mediaTopic(agent.id, "theirs", "sub"), fragment, { qos: 0 });
    return /fragments_total\{outcome="foreign"\} [3-9]/.test(await running.ingest.metrics.text());
  });
  expect(got).toEqual([]);
  expect(media.connected).toBe(true);
});

test("a wish to watch reaches the agent, is kept for a reconnect, and ends", async () => {
  await createCamera(running.pool, agent.id, "north");
  const first = await connect("events");
  const demands = await listen(first);
  const leave = running.mediaBus.subscribe({ cameraId: "north", profile: "sub" }, () => {});
  await until("the demand", () => demands.at(-1)?.streams.length === 1);
  expect(demands.at(-1)?.streams).toEqual([{ profile: "sub", leaseMs: 30_000, sampling: { kind: "all" } }]);
  await first.endAsync(true);
  const again = await listen(await connect("events"));
  await until("the demand again", () => again.at(-1)?.streams.length === 1);
  leave();
  await until("the end", () => again.at(-1)?.streams.length === 0);
});

test("a wish for a camera that appears later is sent when it appears", async () => {
  running.mediaBus.subscribe({ cameraId: "late", profile: "main" }, () => {});
  const client = await connect("events");
  const demands = await listen(client);
  await publishEvents(client, agent.id, [inventory(1, "late")]);
  await until("the demand", () => demands.some((demand) => demand.streams[0]?.profile === "main"));
});
