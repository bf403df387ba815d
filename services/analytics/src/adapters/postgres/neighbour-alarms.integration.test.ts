import { positionAt } from "@huishi/kernel";
import { createAgent, createCamera, type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FrameAlarms, RuleAlarm } from "../../application/alarms.ts";
import { rule, zone } from "../../application/test-support/tracks.ts";
import { PostgresAlarmStore } from "./alarm-store.ts";

const T0 = Date.UTC(2026, 0, 1);
const HERE = { latitude: 31.23, longitude: 121.47 };
const neighbours = { metres: 20, withinMs: 10_000 };

let database: TestDatabase;
let store: PostgresAlarmStore;

beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  for (const id of ["cam-1", "cam-2", "cam-3"]) await createCamera(database.pool, agent.id, id);
  store = new PostgresAlarmStore(database.pool);
});
afterEach(() => database.drop());

/** An alarm of a camera's rule so many metres east of here. */
function seen(camera: number, atMs: number, metres: number, fields: Partial<RuleAlarm> = {}): FrameAlarms {
  const ruleOfCamera = rule({ id: `rule-${camera}`, cameraId: `cam-${camera}`, dedupeMs: 1_000, neighbours });
  const alarm: RuleAlarm = {
    rule: ruleOfCamera,
    zone: zone({ cameraId: `cam-${camera}` }),
    objectClass: "person",
    startedAtMs: T0 + atMs - 3_000,
    occurrences: 1,
    boxes: [],
    position: positionAt(HERE, { x: metres, y: 0 }),
    sourceEvent: `rule/rule-${camera}/9/${T0 + atMs - 3_000}`,
    isNew: true,
    ...fields,
  };
  return { cameraId: `cam-${camera}`, capturedAtMs: T0 + atMs, alarms: [alarm] };
}

async function alarms(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `SELECT a.camera_id, a.occurrences, (SELECT jsonb_object_agg(camera_id, n.occurrences)
       FROM alarm_neighbour n WHERE n.alarm_id = a.id) AS neighbours
     FROM alarm a ORDER BY id`,
  );
  return rows;
}

describe("alarms of neighbouring cameras", () => {
  it("are one when they are near in place and time, with the other camera on record", async () => {
    const [opened] = await store.commit([seen(1, 0, 0)]);
    const [joined] = await store.commit([seen(2, 4_000, 12)]);
    expect(joined).toMatchObject({
      alarmId: opened?.alarmId,
      opened: false,
      cameraId: "cam-2",
      ruleId: "rule-2",
    });
    expect(await alarms()).toEqual([{ camera_id: "cam-1", occurrences: 2, neighbours: { "cam-2": 1 } }]);
    const { rows } = await database.pool.query("SELECT kind FROM change WHERE kind = 'alarm'");
    expect(rows).toHaveLength(2);
  });

  it("stay two when they are far off, too late, of another class, without a place or already dealt with", async () => {
    await store.commit([seen(1, 0, 0)]);
    await store.commit([seen(2, 1_000, 25)]);
    const other = rule({ id: "rule-3", alarmClass: "loitering", neighbours });
    await store.commit([seen(3, 2_000, 0, { rule: other })]);
    const { position: _position, ...placeless } = seen(3, 3_000, 0).alarms[0]!;
    await store.commit([{ cameraId: "cam-3", capturedAtMs: T0 + 3_000, alarms: [placeless] }]);
    await store.commit([seen(3, 40_000, 0)]);
    expect(await alarms()).toHaveLength(5);
    await database.pool.query("UPDATE alarm SET state = 'falseAlarm'");
    await store.commit([seen(2, 41_000, 0)]);
    expect((await alarms()).every((alarm) => alarm["occurrences"] === 1)).toBe(true);
  });

  it("follow an object from camera to camera, further than one step", async () => {
    await store.commit([seen(1, 0, 0)]);
    await store.commit([seen(2, 5_000, 15)]);
    await store.commit([seen(3, 10_000, 30)]);
    expect(await alarms()).toEqual([
      { camera_id: "cam-1", occurrences: 3, neighbours: { "cam-2": 1, "cam-3": 1 } },
    ]);
  });

  it("take a rule's repetitions where its raise went, also later than withinMs", async () => {
    await store.commit([seen(1, 0, 0)]);
    await store.commit([seen(2, 4_000, 12)]);
    await store.commit([seen(2, 300_000, 60, { isNew: false, sourceEvent: "rule/rule-2/10/x" })]);
    expect(await alarms()).toEqual([{ camera_id: "cam-1", occurrences: 3, neighbours: { "cam-2": 2 } }]);
  });

  it("leave a rule's repetitions with its own alarm once it has a newer one", async () => {
    await store.commit([seen(1, 0, 0)]);
    await store.commit([seen(2, 4_000, 12)]);
    await store.commit([seen(2, 60_000, 200)]);
    await store.commit([seen(2, 61_000, 12, { isNew: false, sourceEvent: "rule/rule-2/11/x" })]);
    expect(await alarms()).toEqual([
      { camera_id: "cam-1", occurrences: 2, neighbours: { "cam-2": 1 } },
      { camera_id: "cam-2", occurrences: 2, neighbours: null },
    ]);
  });

  it("count an event that is given twice once", async () => {
    await store.commit([seen(1, 0, 0)]);
    const again = () => [seen(2, 4_000, 12)];
    await store.commit(again());
    await store.commit(again());
    expect(await alarms()).toEqual([{ camera_id: "cam-1", occurrences: 2, neighbours: { "cam-2": 1 } }]);
  });

  it("are one also when several processes raise them in the same moment", async () => {
    const others = [1, 2, 3].map(() => new PostgresAlarmStore(database.pool));
    await Promise.all(others.map((one, k) => one.commit([seen(k + 1, k * 10, k)])));
    const [alarm, ...more] = await alarms();
    expect(more).toEqual([]);
    expect(alarm).toMatchObject({ occurrences: 3 });
  });

  it("keep position and sensor reading on the alarm that was opened", async () => {
    const sensorReading = {
      datastreamId: "7",
      comparison: "above",
      value: 0.4,
      limit: 0.3,
      atMs: T0,
    } as const;
    await store.commit([seen(1, 0, 0, { sensorReading })]);
    const { rows } = await database.pool.query("SELECT latitude, longitude, sensor_reading FROM alarm");
    expect(rows).toEqual([{ ...positionAt(HERE, { x: 0, y: 0 }), sensor_reading: sensorReading }]);
  });
});
