import type { Camera } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import { fakeAlarm, fakeCamera } from "../../test-support/fake-world.ts";
import type { WallPreferences } from "../preferences.ts";
import { createStore } from "../store.ts";
import { type AlarmListState, EMPTY_ALARM_LIST, reduceAlarmList } from "./alarm-list.ts";
import { WallTiles } from "./wall-tiles.ts";

function world(names: string[]) {
  const cameras = createStore<readonly Camera[]>(names.map((name) => fakeCamera(name, name)));
  const alarms = createStore<AlarmListState>(EMPTY_ALARM_LIST);
  const preferences = createStore<WallPreferences>({ layout: 4, pinned: new Map(), sound: true });
  const wall = new WallTiles({ cameras, alarms }, preferences);
  return { cameras, alarms, preferences, wall };
}

describe("WallTiles", () => {
  it("follows cameras that come and go without moving the others", () => {
    const { cameras, wall } = world(["a", "b", "c"]);
    expect(wall.tiles.get()).toEqual(["a", "b", "c", null]);
    cameras.set(["b", "c", "d"].map((name) => fakeCamera(name, name)));
    expect(wall.tiles.get()).toEqual(["d", "b", "c", null]);
  });

  it("brings the camera of an alarm onto the wall", () => {
    const { alarms, wall } = world(["a", "b", "c", "d", "e"]);
    const alarm = fakeAlarm("1", fakeCamera("e", "e"));
    alarms.update((state) => reduceAlarmList(state, { type: "changed", alarms: [alarm] }));
    expect(wall.tiles.get()).toEqual(["a", "b", "c", "e"]);
  });

  it("keeps what was put by hand, until it is let go", () => {
    const { wall, preferences } = world(["a", "b", "c", "d", "e"]);
    wall.assign(0, "e");
    expect(wall.tiles.get()).toEqual(["e", "b", "c", "d"]);
    expect([...preferences.get().pinned]).toEqual([[0, "e"]]);
    wall.unpin(0);
    expect(preferences.get().pinned.size).toBe(0);
  });

  it("tells nobody when nothing moved", () => {
    const { alarms, wall } = world(["a", "b"]);
    const before = wall.tiles.get();
    const alarm = fakeAlarm("1", fakeCamera("a", "a"));
    alarms.update((state) => reduceAlarmList(state, { type: "changed", alarms: [alarm] }));
    expect(wall.tiles.get()).toBe(before);
  });
});
