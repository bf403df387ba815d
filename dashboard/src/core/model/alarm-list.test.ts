import type { Alarm } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import {
  type AlarmListAction,
  type AlarmListState,
  EMPTY_ALARM_LIST,
  nextNew,
  olderThan,
  openAlarms,
  reduceAlarmList,
  shownAlarms,
  stepSelection,
  waitingCount,
} from "./alarm-list.ts";

function alarm(id: number | string, change: Partial<Alarm> = {}): Alarm {
  return {
    id: String(id),
    cameraId: "cam-1",
    cameraName: "Gate",
    sensorId: null,
    sensorName: null,
    measured: null,
    endedAtMs: null,
    ruleId: "rule-1",
    ruleName: "Nobody here",
    zoneId: "zone-1",
    zoneName: "Crossing",
    zonePoints: null,
    zoneKind: null,
    alarmClass: "intrusion",
    objectClass: "person",
    priority: "P2",
    state: "new",
    capturedAtMs: 1,
    startedAtMs: 1,
    createdAtMs: 1,
    lastOccurredAtMs: 1,
    occurrences: 1,
    boxes: [],
    hasSnapshot: false,
    acknowledgedBy: null,
    acknowledgedAtMs: null,
    version: 1,
    ...change,
  };
}
const run = (actions: readonly AlarmListAction[], from: AlarmListState = EMPTY_ALARM_LIST): AlarmListState =>
  actions.reduce(reduceAlarmList, from);
const ids = (state: AlarmListState): string[] => shownAlarms(state).map(({ id }) => id);
const firstPage: AlarmListAction = { type: "page", filter: "new", alarms: [alarm(9), alarm(8)], next: "8" };
const changed = (...alarms: Alarm[]): AlarmListAction => ({ type: "changed", alarms });

describe("alarm list", () => {
  it("shows the newest first, by number and not by text", () => {
    expect(ids(run([firstPage, changed(alarm(10), alarm("1234567890123456789"))]))).toEqual([
      "1234567890123456789",
      "10",
      "9",
      "8",
    ]);
  });

  it("does not go back to an older version of a row", () => {
    const state = run([
      changed(alarm(9, { version: 3, occurrences: 5 })),
      changed(alarm(9, { version: 2, occurrences: 2 })),
    ]);
    expect(state.byId.get("9")?.occurrences).toBe(5);
  });

  it("lets an acknowledged alarm leave the list of new ones", () => {
    expect(ids(run([firstPage, changed(alarm(9, { state: "acknowledged", version: 2 }))]))).toEqual(["8"]);
  });

  it("holds still under the pointer: new rows wait, acknowledged ones stay", () => {
    const held = run([
      firstPage,
      { type: "hold" },
      changed(alarm(11), alarm(10), alarm(9, { state: "acknowledged", version: 2 })),
    ]);
    expect(ids(held)).toEqual(["9", "8"]);
    expect(shownAlarms(held)[0]?.state).toBe("acknowledged");
    expect(waitingCount(held)).toBe(2);
    expect(ids(run([{ type: "showWaiting" }], held))).toEqual(["11", "10", "8"]);
    expect(ids(run([{ type: "release" }], held))).toEqual(["11", "10", "8"]);
    expect(waitingCount(run([{ type: "release" }], held))).toBe(0);
  });

  it("shows older rows that were asked for below the held ones", () => {
    const state = run([
      firstPage,
      { type: "hold" },
      { type: "page", filter: "new", alarms: [alarm(7), alarm(6)], next: null },
    ]);
    expect(ids(state)).toEqual(["9", "8", "7", "6"]);
    expect(olderThan(state)).toBeNull();
  });

  it("shows no row below the page that was read, for others between may be missing", () => {
    const state = run([
      firstPage,
      { type: "page", filter: "all", alarms: [alarm(9), alarm(5, { state: "falseAlarm" })], next: "5" },
      changed(alarm(3)),
    ]);
    expect(ids(state)).toEqual(["9", "8"]);
    expect(ids(run([{ type: "filter", filter: "all" }], state))).toEqual(["9", "8", "5"]);
  });

  it("steps through the shown rows and stops at the ends", () => {
    const state = run([firstPage]);
    expect(stepSelection(state, 1)).toBe("9");
    const first = run([{ type: "select", id: "9" }], state);
    expect(stepSelection(first, 1)).toBe("8");
    expect(stepSelection(first, -1)).toBe("9");
  });

  it("goes on to the next new alarm after one was dealt with", () => {
    const state = run([
      firstPage,
      changed(alarm(7)),
      { type: "page", filter: "new", alarms: [alarm(7)], next: null },
    ]);
    expect(nextNew(state, "9")).toBe("8");
    expect(nextNew(state, "7")).toBe("8");
    expect(nextNew(run([{ type: "page", filter: "new", alarms: [alarm(9)], next: null }]), "9")).toBeNull();
  });

  it("knows the most urgent open alarm of each camera", () => {
    const open = openAlarms(
      run([
        changed(
          alarm(3, { priority: "P1" }),
          alarm(4, { priority: "P3" }),
          alarm(5, { cameraId: "cam-2", state: "falseAlarm" }),
        ),
      ]),
    );
    expect(open.get("cam-1")).toEqual({ priority: "P1", alarmId: "4", count: 2 });
    expect(open.has("cam-2")).toBe(false);
  });

  it("stays bounded and keeps the newest", () => {
    const state = run([changed(...Array.from({ length: 3_200 }, (_, i) => alarm(i + 1)))]);
    expect(state.order).toHaveLength(3_000);
    expect(state.order[0]).toBe("3200");
    expect(olderThan(state)).toBe("201");
  });
});
