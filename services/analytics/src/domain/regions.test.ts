import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Box } from "@huishi/kernel";
import { type Region, RegionPlanner, regionBox } from "./regions.ts";
import type { Track } from "./tracker/track.ts";

const FRAME = { width: 768, height: 576 };

function track(id: number, x: number, y: number, overrides: Partial<Track> = {}): Track {
  return {
    id,
    objectClass: "person",
    state: "confirmed",
    box: { x, y, w: 0.04, h: 0.12 },
    velocity: { x: 0, y: 0 },
    firstSeenMs: 0,
    lastSeenMs: 0,
    observations: 5,
    scoreMean: 0.8,
    lastScore: 0.8,
    stationarySinceMs: null,
    observed: true,
    ...overrides,
  };
}

const holds = (region: { x: number; y: number; w: number; h: number }, x: number, y: number) =>
  x >= region.x && y >= region.y && x <= region.x + region.w && y <= region.y + region.h;

describe("RegionPlanner", () => {
  it("looks at the whole first frame", () => {
    const planner = new RegionPlanner(FRAME);
    expect(planner.plan({ capturedAtMs: 0, motion: [], tracks: [] })).toEqual([
      { kind: "whole", x: 0, y: 0, w: 768, h: 576 },
    ]);
  });

  it("asks for nothing while nothing moves, but for a rare whole frame", () => {
    const planner = new RegionPlanner(FRAME);
    const asked = Array.from(
      { length: 400 },
      (_, k) => planner.plan({ capturedAtMs: k * 200, motion: [], tracks: [] }).length,
    );
    expect(asked.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it("puts a small square around a small moving thing", () => {
    const planner = new RegionPlanner(FRAME);
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const [crop, ...rest] = planner.plan({
      capturedAtMs: 200,
      motion: [{ x: 0.5, y: 0.5, w: 0.04, h: 0.1 }],
      tracks: [],
    });
    expect(rest).toEqual([]);
    expect(crop).toMatchObject({ kind: "crop", w: 260, h: 260 });
    expect(holds(crop!, 0.52 * 768, 0.55 * 576)).toBe(true);
  });

  it("shows what fills its crop in the whole frame too, because things are known by what is around them", () => {
    const planner = new RegionPlanner({ width: 640, height: 360 });
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const regions = planner.plan({
      capturedAtMs: 200,
      motion: [{ x: 0.4, y: 0.2, w: 0.2, h: 0.6 }],
      tracks: [],
    });
    expect(regions.map(({ kind }) => kind)).toEqual(["whole", "crop"]);
  });

  it("lets neighbours share a crop", () => {
    const planner = new RegionPlanner(FRAME);
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const regions = planner.plan({
      capturedAtMs: 200,
      motion: [],
      tracks: [track(1, 0.4, 0.4), track(2, 0.55, 0.45)],
    });
    expect(regions).toHaveLength(1);
  });

  it("uses the whole frame for what is large in it", () => {
    const planner = new RegionPlanner(FRAME);
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const large = track(1, 0.3, 0.2, { box: { x: 0.3, y: 0.2, w: 0.3, h: 0.6 } });
    expect(planner.plan({ capturedAtMs: 200, motion: [], tracks: [large] }).map(({ kind }) => kind)).toEqual([
      "whole",
    ]);
  });

  it("rechecks a stationary track rarely, and in between not at all", () => {
    const planner = new RegionPlanner({ ...FRAME, idleWholeFrameMs: 1e9 });
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const looks: number[] = [];
    let lastSeenMs = 0;
    for (let atMs = 200; atMs <= 60_000; atMs += 200) {
      const parked = track(1, 0.4, 0.4, { stationarySinceMs: 0, lastSeenMs });
      if (planner.plan({ capturedAtMs: atMs, motion: [], tracks: [parked] }).length > 0) {
        looks.push(atMs);
        lastSeenMs = atMs;
      }
    }
    expect(looks).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  });

  it("takes turns where there is more than three crops' worth", () => {
    const planner = new RegionPlanner({ width: 1920, height: 1080, wholeFrameMs: 1e9 });
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const small = { w: 0.01, h: 0.03 };
    const places = [0.05, 0.25, 0.45, 0.65, 0.85].flatMap((x) => [0.1, 0.8].map((y) => ({ x, y })));
    const tracks = places.map(({ x, y }, i) => track(i, x, y, { box: { x, y, ...small } }));
    const seen = new Set<number>();
    for (let k = 1; k <= 5; k++) {
      const regions = planner.plan({ capturedAtMs: k * 200, motion: [], tracks });
      expect(regions.length).toBeLessThanOrEqual(3);
      tracks.forEach((one) => {
        if (regions.some((region) => holds(region, (one.box.x + 0.005) * 1920, (one.box.y + 0.015) * 1080)))
          seen.add(one.id);
      });
    }
    expect(seen.size).toBe(tracks.length);
  });

  it("always gives a bounded number of regions of whole pixels inside the frame", () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true });
    const box = fc.record({ x: fraction, y: fraction, w: fraction, h: fraction });
    const input = fc.record({
      width: fc.integer({ min: 64, max: 4096 }),
      height: fc.integer({ min: 64, max: 2160 }),
      motion: fc.array(box, { maxLength: 12 }),
      places: fc.array(box, { maxLength: 12 }),
      times: fc.array(fc.integer({ min: -10_000, max: 100_000 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(input, ({ width, height, motion, places, times }) => {
        const planner = new RegionPlanner({ width, height });
        const twin = new RegionPlanner({ width, height });
        const tracks = places.map((place, i) => track(i, 0, 0, { box: place }));
        for (const capturedAtMs of times) {
          const regions = planner.plan({ capturedAtMs, motion, tracks });
          expect(twin.plan({ capturedAtMs, motion, tracks })).toEqual(regions);
          expect(regions.length).toBeLessThanOrEqual(4);
          for (const { x, y, w, h } of regions) {
            expect([x, y, w, h].every(Number.isInteger)).toBe(true);
            expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= width && y + h <= height).toBe(true);
          }
        }
      }),
    );
  });
});

describe("regionBox", () => {
  it("tells how small an object may be and still be found", () => {
    const box = regionBox({ kind: "crop", x: 384, y: 288, w: 288, h: 288 }, FRAME);
    expect(box).toMatchObject({ x: 0.5, y: 0.5, w: 0.375, h: 0.5 });
    expect(box.leastSide).toBeCloseTo(0.06);
  });
});

describe("with less time than regions", () => {
  const small = (x: number): Box => ({ x, y: 0.4, w: 0.05, h: 0.08 });
  const motion = [small(0.1), small(0.45), small(0.8)];

  it("takes no more regions than it is given, those not looked at for longest first", () => {
    const planner = new RegionPlanner({ width: 640, height: 360 });
    const seen: Region[][] = [];
    for (let t = 0; t < 2_000; t += 200)
      seen.push(planner.plan({ capturedAtMs: t, motion, tracks: [], maxRegions: 1 }));
    expect(seen.every((regions) => regions.length === 1)).toBe(true);
    expect(seen[0]?.[0]?.kind).toBe("whole");
    const places = new Set(seen.slice(1, 4).map(([region]) => region?.x));
    expect(places.size).toBe(3);
  });

  it("looks at nothing when it is given nothing, and makes up for a change of light later", () => {
    const planner = new RegionPlanner({ width: 640, height: 360 });
    planner.plan({ capturedAtMs: 0, motion: [], tracks: [] });
    const none = planner.plan({
      capturedAtMs: 200,
      motion: [],
      tracks: [],
      lightingStep: true,
      maxRegions: 0,
    });
    expect(none).toEqual([]);
    expect(planner.plan({ capturedAtMs: 400, motion: [], tracks: [], maxRegions: 1 })).toMatchObject([
      { kind: "whole" },
    ]);
  });
});
