import { connectAgent, createAgent, createCamera, type TestAgent } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publishEvents, runIngest, type RunningIngest } from "./test-support/running-ingest.ts";

let running: RunningIngest;
let agent: TestAgent;
let client: MqttClient;
let seq: number;
beforeEach(async () => {
  running = await runIngest();
  agent = await createAgent(running.pool);
  client = await connectAgent(running.ingest.port, agent);
  seq = 0;
});
afterEach(async () => {
  await client.endAsync(true);
  await running.close();
});

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const word = (active: boolean, atMinute: number, value = active ? 60 : 1): object => ({
  type: "sensor_alarm",
  seq: (seq += 1),
  capturedAtMs: START + atMinute * MINUTE,
  agentAtMs: START + atMinute * MINUTE,
  sensorId: "cover",
  thresholdId: "tilted",
  observedProperty: "tilt",
  alarmClass: "manhole_abnormal",
  priority: "P1",
  active,
  value,
  limit: 15,
  unit: "deg",
});
const inventory = (watchedBy: string): object => ({
  type: "sensor_inventory",
  seq: (seq += 1),
  capturedAtMs: START,
  agentAtMs: START,
  sensorId: "cover",
  name: "井盖",
  watchedBy,
  datastreams: [{ observedProperty: "tilt", unit: "deg" }],
});
const send = (...events: object[]): Promise<void> => publishEvents(client, agent.id, events);
const alarms = async (): Promise<unknown[]> => {
  const { rows } = await running.pool.query<Record<string, Date | null>>(
    `SELECT sensor_id, camera_id, view_camera_id, threshold_id, value, limit_value, unit, state, occurrences,
            started_at, last_occurred_at, ended_at FROM alarm ORDER BY id`,
  );
  const minute = (at: Date | null | undefined): number | null =>
    at ? (at.getTime() - START) / MINUTE : null;
  return rows.map(({ started_at, last_occurred_at, ended_at, ...row }) => ({
    ...row,
    minutes: [minute(started_at), minute(last_occurred_at), minute(ended_at)],
  }));
};

test("a raise opens an alarm of the sensor that names the camera which looks at it; its end is noted", async () => {
  await createCamera(running.pool, agent.id, "gate");
  await send(inventory("gate"), word(true, 0));
  const open = {
    sensor_id: "cover",
    camera_id: null,
    view_camera_id: "gate",
    threshold_id: "tilted",
    value: 60,
    limit_value: 15,
    unit: "deg",
    state: "new",
    occurrences: 1,
    minutes: [0, 0, null],
  };
  expect(await alarms()).toEqual([open]);
  await send(word(false, 5));
  expect(await alarms()).toEqual([{ ...open, minutes: [0, 0, 5] }]);
});

test("a camera of another agent, or none, is not named", async () => {
  const other = await createAgent(running.pool);
  await createCamera(running.pool, other.id, "foreign");
  await send(inventory("foreign"), word(true, 0));
  expect(await alarms()).toMatchObject([{ view_camera_id: null }]);
});

test("raises are counted on the open alarm, and within a day on one that nobody has taken up", async () => {
  await send(word(true, 0), word(true, 1, 70), word(false, 2), word(true, 3, 65));
  expect(await alarms()).toMatchObject([{ occurrences: 3, value: 65, minutes: [0, 3, null] }]);
  await send(word(false, 4));
  await running.pool.query("UPDATE alarm SET state = 'acknowledged'");
  await send(word(true, 5));
  expect(await alarms()).toMatchObject([
    { state: "acknowledged", occurrences: 3, minutes: [0, 3, 4] },
    { state: "new", occurrences: 1, minutes: [5, 5, null] },
  ]);
  await send(word(false, 6), word(true, 6 + 25 * 60));
  expect(await alarms()).toHaveLength(3);
});

test("a word that comes twice counts once", async () => {
  const raise = word(true, 0);
  await send(raise, raise);
  await send(raise);
  expect(await alarms()).toMatchObject([{ occurrences: 1 }]);
});

test("a raise that comes after its end is an alarm that has ended", async () => {
  const [raise, end] = [word(true, 0), word(false, 5)];
  await send(end);
  expect(await alarms()).toEqual([]);
  await send(raise);
  expect(await alarms()).toMatchObject([{ minutes: [0, 0, 5] }]);
  await send(word(true, 9), word(false, 3));
  expect(await alarms()).toMatchObject([{ occurrences: 2, minutes: [0, 9, null] }]);
});

test("nobody raises an alarm of another agent's sensor", async () => {
  await send(word(true, 0));
  const other = await createAgent(running.pool);
  const foreign = await connectAgent(running.ingest.port, other);
  await publishEvents(foreign, other.id, [word(true, 1)]);
  await foreign.endAsync(true);
  expect(await alarms()).toMatchObject([{ occurrences: 1 }]);
  expect((await running.pool.query("SELECT code FROM dead_letter")).rows).toEqual([
    { code: "FOREIGN_SENSOR" },
  ]);
});

test("an alarm without camera and sensor, or with both, cannot be", async () => {
  await createCamera(running.pool, agent.id, "gate");
  await send(word(true, 0));
  await expect(running.pool.query("UPDATE alarm SET camera_id = 'gate'")).rejects.toThrow(/camera_or_sensor/);
  await expect(running.pool.query("UPDATE alarm SET sensor_id = NULL")).rejects.toThrow(/camera_or_sensor/);
});
