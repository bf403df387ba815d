import { createAgent, createCamera, type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FrameAlarms, RuleAlarm } from "../../application/alarms.ts";
import { rule, zone } from "../../application/test-support/tracks.ts";
import { PostgresAlarmStore } from "./alarm-store.ts";

const T0 = Date.UTC(2026, 0, 1);

let database: TestDatabase;
let store: PostgresAlarmStore;

beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  await createCamera(database.pool, agent.id, "cam-1");
  store = new PostgresAlarmStore(database.pool);
});
afterEach(() => database.drop());

function said(capturedAtMs: number, fields: Partial<RuleAlarm> = {}): FrameAlarms {
  const alarm: RuleAlarm = {
    rule: rule(),
    zone: zone(),
    objectClass: "person",
    startedAtMs: capturedAtMs - 3_000,
    occurrences: 1,
    boxes: [
      {
        trackId: "9",
        objectClass: "person",
        score: 0.8,
        box: { x: 0.1, y: 0.2, w: 0.3, h: 0.4 },
        deciding: true,
      },
    ],
    sourceEvent: `rule/rule-1/9/${capturedAtMs - 3_000}`,
    isNew: true,
    ...fields,
  };
  return { cameraId: "cam-1", capturedAtMs, alarms: [alarm] };
}

async function alarms(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>("SELECT * FROM alarm ORDER BY id");
  return rows;
}

describe("PostgresAlarmStore", () => {
  it("opens an alarm with a copy of its rule and zone, and a change that tells of it", async () => {
    const [receipt] = await store.commit([said(T0)]);
    expect(receipt).toMatchObject({ opened: true, ruleId: "rule-1", cameraId: "cam-1" });
    expect(await alarms()).toMatchObject([
      {
        id: receipt?.alarmId,
        rule_name: "Nobody on the crossing",
        zone_name: "Crossing",
        zone_kind: "polygon",
        zone_points: zone().points,
        alarm_class: "intrusion",
        priority: "P2",
        state: "new",
        captured_at: new Date(T0),
        started_at: new Date(T0 - 3_000),
        boxes: [expect.objectContaining({ trackId: "9", deciding: true })],
        has_snapshot: false,
      },
    ]);
    const { rows } = await database.pool.query("SELECT kind, key FROM change WHERE kind = 'alarm'");
    expect(rows).toEqual([{ kind: "alarm", key: receipt?.alarmId }]);
  });

  it("counts a repetition on the rule's alarm, however long ago that was raised", async () => {
    const [opened] = await store.commit([said(T0)]);
    const [counted] = await store.commit([said(T0 + 900_000, { isNew: false, occurrences: 2 })]);
    expect(counted).toMatchObject({ alarmId: opened?.alarmId, opened: false });
    expect(await alarms()).toMatchObject([
      { occurrences: 3, last_occurred_at: new Date(T0 + 900_000), version: 2 },
    ]);
  });

  it("counts a new raise within dedupeMs too: the engine forgot, a restart lies between", async () => {
    await store.commit([said(T0)]);
    await new PostgresAlarmStore(database.pool).commit([said(T0 + 59_000)]);
    expect(await alarms()).toMatchObject([{ occurrences: 2 }]);
  });

  it("opens another alarm beyond dedupeMs, with an edited zone, and after a false alarm", async () => {
    const moved = zone({ points: zone().points.map(({ x, y }) => ({ x: x / 2, y })) });
    await store.commit([said(T0)]);
    await store.commit([said(T0 + 61_000)]);
    await store.commit([said(T0 + 62_000, { zone: moved })]);
    await database.pool.query("UPDATE alarm SET state = 'falseAlarm'");
    await store.commit([said(T0 + 63_000, { zone: moved, isNew: false })]);
    expect((await alarms()).map((alarm) => alarm["occurrences"])).toEqual([1, 1, 1, 1]);
  });

  it("writes an event that is given twice once", async () => {
    await store.commit([said(T0)]);
    await database.pool.query("UPDATE alarm SET state = 'falseAlarm'");
    await store.commit([said(T0)]);
    expect(await alarms()).toHaveLength(1);
  });

  it("writes nothing for a camera that was deleted, and the rest of the batch all the same", async () => {
    const gone = { ...said(T0), cameraId: "cam-gone" };
    const receipts = await store.commit([gone, said(T0 + 1)]);
    expect(receipts).toHaveLength(1);
    expect(await alarms()).toHaveLength(1);
  });

  it("refuses a batch with a value that no column takes, and writes none of it", async () => {
    const bad = said(T0, { rule: rule({ priority: "P9" as "P1" }) });
    await expect(store.commit([said(T0 + 1), bad])).rejects.toMatchObject({ code: "RECORD_REFUSED" });
    expect(await alarms()).toHaveLength(0);
  });

  it("adds a snapshot once and says so on the alarm", async () => {
    const [receipt] = await store.commit([said(T0)]);
    const alarmId = receipt?.alarmId as string;
    await store.addSnapshot(alarmId, Uint8Array.of(0xff, 0xd8, 1));
    await store.addSnapshot(alarmId, Uint8Array.of(0xff, 0xd8, 2));
    await store.addSnapshot("999999", Uint8Array.of(0xff));
    expect(await alarms()).toMatchObject([{ has_snapshot: true, version: 2 }]);
    const { rows } = await database.pool.query<{ jpeg: Buffer }>("SELECT jpeg FROM alarm_snapshot");
    expect(rows.map((row) => [...row.jpeg])).toEqual([[0xff, 0xd8, 1]]);
  });
});
