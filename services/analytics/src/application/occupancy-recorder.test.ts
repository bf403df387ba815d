import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OccupancyRecorder } from "./occupancy-recorder.ts";
import type { OccupancyRow } from "./records.ts";
import { track, zone } from "./test-support/tracks.ts";

const PERSON = 1;
const CAR = 3;
const MINUTE = 60_000;
const outside = { box: { x: 0, y: 0, w: 0.05, h: 0.1 } };

const of = (rows: readonly OccupancyRow[], classCode: number): Partial<OccupancyRow> | undefined =>
  rows.find((row) => row.classCode === classCode);

describe("OccupancyRecorder", () => {
  it("holds what a frame shows until the next one, whatever their distance", () => {
    const recorder = new OccupancyRecorder([zone()]);
    recorder.update([track(1), track(2), track(3, { objectClass: "car" })], 0);
    recorder.update([track(1)], 1_000);
    recorder.update([], 5_000);
    const rows = recorder.update([], MINUTE);
    // The last frame lies 55 s back: those were not watched.
    expect(of(rows, 0)).toEqual({
      minuteMs: 0,
      zoneId: "zone-1",
      classCode: 0,
      objectMs: 3 * 1_000 + 4_000,
      watchedMs: 5_000,
      objectsMax: 3,
    });
    expect(of(rows, PERSON)).toMatchObject({ objectMs: 6_000, watchedMs: 0, objectsMax: 2 });
    expect(of(rows, CAR)).toMatchObject({ objectMs: 1_000, watchedMs: 0, objectsMax: 1 });
  });

  it("has a row for a minute in which nobody came, and none for one that nobody looked at", () => {
    const recorder = new OccupancyRecorder([zone()]);
    const rows: OccupancyRow[] = [];
    for (let at = 0; at <= MINUTE; at += 10_000) rows.push(...recorder.update([track(1, outside)], at));
    expect(rows).toEqual([
      { minuteMs: 0, zoneId: "zone-1", classCode: 0, objectMs: 0, watchedMs: MINUTE, objectsMax: 0 },
    ]);
    expect(recorder.update([], 10 * MINUTE)).toMatchObject([{ minuteMs: MINUTE, watchedMs: 0 }]);
  });

  it("counts feet inside of polygons, of confirmed tracks only, and no lines", () => {
    const line = zone({ id: "line-1", kind: "line" });
    const recorder = new OccupancyRecorder([zone(), line]);
    recorder.update([track(1, outside), track(2, { state: "lost" }), track(3)], 0);
    const rows = recorder.finish();
    expect(rows.map(({ zoneId, classCode, objectsMax }) => [zoneId, classCode, objectsMax])).toEqual([
      ["zone-1", 0, 1],
      ["zone-1", PERSON, 1],
    ]);
  });

  it("cuts a stay at the minute's edge", () => {
    const recorder = new OccupancyRecorder([zone()]);
    recorder.update([track(1)], MINUTE - 2_000);
    const first = recorder.update([], MINUTE + 3_000);
    const second = recorder.finish();
    expect(of(first, PERSON)).toMatchObject({ minuteMs: 0, objectMs: 2_000, objectsMax: 1 });
    expect(of(second, PERSON)).toMatchObject({ minuteMs: MINUTE, objectMs: 3_000, objectsMax: 1 });
  });

  it("looks at a new zone from its next frame on, and writes what it knew of one that is gone", () => {
    const recorder = new OccupancyRecorder([zone()]);
    recorder.update([track(1)], 0);
    recorder.update([track(1)], 1_000);
    recorder.replace([zone({ id: "zone-2" })]);
    recorder.update([track(1)], 2_000);
    recorder.update([track(1)], 3_000);
    const watched = recorder.finish().filter(({ classCode }) => classCode === 0);
    expect(watched).toMatchObject([
      { zoneId: "zone-1", watchedMs: 2_000 },
      { zoneId: "zone-2", watchedMs: 1_000 },
    ]);
    expect(new OccupancyRecorder([]).update([track(1)], 0)).toEqual([]);
  });

  it("adds up over any frames: watched time is never longer than the time, means never above the most at once", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 0, max: 4 })), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (frames) => {
        const recorder = new OccupancyRecorder([zone()]);
        const rows: OccupancyRow[] = [];
        let at = 0;
        let watched = 0;
        for (const [index, [gap, objects]] of frames.entries()) {
          at += gap;
          if (index > 0 && gap <= 15_000) watched += gap;
          rows.push(
            ...recorder.update(
              Array.from({ length: objects }, (_, id) => track(id)),
              at,
            ),
          );
        }
        rows.push(...recorder.finish());
        const all = rows.filter(({ classCode }) => classCode === 0);
        expect(all.reduce((sum, row) => sum + row.watchedMs, 0)).toBe(watched);
        for (const row of all) {
          expect(row.watchedMs).toBeLessThanOrEqual(MINUTE);
          expect(row.objectMs).toBeLessThanOrEqual(row.objectsMax * row.watchedMs);
        }
        expect(new Set(all.map(({ minuteMs }) => minuteMs)).size).toBe(all.length);
      }),
    );
  });
});
