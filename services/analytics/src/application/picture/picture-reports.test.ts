import type { Clock } from "@huishi/kernel";
import { expect, test } from "vitest";
import { FaultLog } from "../fault-log.ts";
import { type PictureReport, PictureReports } from "./picture-reports.ts";

const frozen = { fault: "frozen" as const, sinceMs: 1_000 };

function setUp() {
  const written: PictureReport[][] = [];
  const state = { nowMs: 1_000_000, isDown: false };
  const warned: object[] = [];
  const clock = { nowMs: () => state.nowMs } as Clock;
  const log = {
    info: () => undefined,
    warn: (fields: object) => void warned.push(fields),
    error: () => undefined,
  };
  const reports = new PictureReports({
    clock,
    faults: new FaultLog(log, clock),
    store: {
      writePictures: (batch) => {
        if (state.isDown) return Promise.reject(new Error("connection lost"));
        written.push([...batch]);
        return Promise.resolve();
      },
    },
  });
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  const last = (): unknown => written.at(-1)?.map(({ cameraId, faults }) => [cameraId, faults]);
  return { reports, written, warned, state, settled, last };
}

test("a verdict is written when it changes, not at each look", async () => {
  const { reports, written, settled, last } = setUp();
  for (let i = 0; i < 5; i++) reports.saw("north", { faults: [], isKnown: true });
  await settled();
  expect(last()).toEqual([["north", []]]);
  reports.saw("north", { faults: [frozen], isKnown: true });
  await settled();
  expect(last()).toEqual([["north", [frozen]]]);
  expect(written).toHaveLength(2);
});

test("while the view is not known, no fault means nothing; a fault means what it says", async () => {
  const { reports, settled, last } = setUp();
  reports.saw("north", { faults: [], isKnown: false });
  reports.saw("south", { faults: [frozen], isKnown: false });
  await settled();
  await settled();
  reports.unknown("west");
  await settled();
  expect(last()).toEqual([["west", null]]);
});

test("a fault is said again every ten minutes, so that readers know that somebody still looks", async () => {
  const { reports, written, state, settled } = setUp();
  const look = async (atMs: number): Promise<void> => {
    state.nowMs = atMs;
    reports.saw("north", { faults: [frozen], isKnown: true });
    await settled();
  };
  for (const minutes of [1_000, 1_005, 1_009, 1_011, 1_020]) await look(minutes * 60_000);
  expect(written).toHaveLength(2);
});

test("while the database is away the last verdict of each camera waits, and the fault is logged once", async () => {
  const { reports, written, warned, state, settled, last } = setUp();
  state.isDown = true;
  for (let i = 0; i < 20; i++) reports.saw("north", { faults: i % 2 === 0 ? [frozen] : [], isKnown: true });
  await settled();
  reports.unknown("south");
  await settled();
  expect([written.length, warned.length]).toEqual([0, 1]);
  state.isDown = false;
  reports.saw("north", { faults: [frozen], isKnown: true });
  await settled();
  expect(last()).toEqual([
    ["north", [frozen]],
    ["south", null],
  ]);
});

test("closing writes what waits, but waits no longer than it may", async () => {
  const { reports, state, written } = setUp();
  state.isDown = true;
  reports.unknown("north");
  await reports.close(1_000);
  expect(written).toEqual([]);
  state.isDown = false;
  await reports.close(1_000);
  expect(written).toHaveLength(1);
});
