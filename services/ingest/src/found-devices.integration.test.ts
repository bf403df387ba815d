import { connectAgent, createAgent, type TestAgent } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publishEvents, runIngest, type RunningIngest, times } from "./test-support/running-ingest.ts";

let running: RunningIngest;
let agent: TestAgent;
let client: MqttClient;
beforeEach(async () => {
  running = await runIngest();
  agent = await createAgent(running.pool);
  client = await connectAgent(running.ingest.port, agent);
});
afterEach(async () => {
  await client.endAsync(true);
  await running.close();
});

const AT = times.capturedAtMs;
const found = (seq: number, capturedAtMs: number, more: object = {}) =>
  ({
    ...times,
    seq,
    capturedAtMs,
    type: "device_found",
    deviceKey: "urn:uuid:1",
    how: "ws_discovery",
    address: "10.0.0.1:80",
    ...more,
  }) as never;
const rows = async () =>
  (
    await running.pool.query(
      "SELECT address, name, gone, extract(epoch FROM first_at)::int AS first FROM found_device",
    )
  ).rows;

test("a found device is kept with its latest word, whatever comes late", async () => {
  await publishEvents(client, agent.id, [
    found(1, AT + 2_000),
    found(2, AT + 3_000, { address: "10.0.0.9:80", name: "Gate" }),
  ]);
  await publishEvents(client, agent.id, [found(3, AT + 1_000, { address: "10.0.0.5:80" })]);
  expect(await rows()).toEqual([
    { address: "10.0.0.9:80", name: "Gate", gone: false, first: AT / 1_000 + 3 },
  ]);
  await publishEvents(client, agent.id, [found(4, AT + 4_000, { gone: true })]);
  expect(await rows()).toMatchObject([{ address: "10.0.0.1:80", gone: true }]);
});
