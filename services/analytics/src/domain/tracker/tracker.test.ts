import type { ObjectClass } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Detection } from "../detection.ts";
import type { Track } from "./track.ts";
import { Tracker } from "./tracker.ts";

const T0 = 1_700_000_000_000;

function person(x: number, y: number, overrides: Partial<Detection> = {}): Detection {
  return { objectClass: "person", score: 0.8, box: { x, y, w: 0.04, h: 0.16 }, ...overrides };
}

/** Runs a scene at a frame rate; returns the tracks of every frame. */
function follow(tracker: Tracker, frames: readonly (readonly Detection[])[], fps = 5): (readonly Track[])[] {
  return frames.map((detections, k) => tracker.update(detections, T0 + Math.round((k * 1000) / fps)).tracks);
}

const steps = (count: number) => Array.from({ length: count }, (_, k) => k);
const idsOf = (frames: readonly (readonly Track[])[]) => [...new Set(frames.flat().map((track) => track.id))];

describe("Tracker", () => {
  it("confirms an object on its second sighting and keeps its identity", () => {
    const tracker = new Tracker({ firstTrackId: 100 });
    const frames = follow(
      tracker,
      steps(30).map((k) => [person(0.1 + 0.01 * k, 0.4)]),
    );
    expect(frames[0]).toMatchObject([{ id: 100, state: "tentative" }]);
    expect(
      frames.slice(1).every(([track]) => track?.id === 100 && track.state === "confirmed" && track.observed),
    ).toBe(true);
    expect(tracker.nextTrackId).toBe(101);
  });

  it("measures the velocity in picture sizes per second", () => {
    const frames = follow(
      new Tracker({ firstTrackId: 1 }),
      steps(40).map((k) => [person(0.1 + 0.01 * k, 0.4)]),
    );
    const [track] = frames.at(-1)!;
    expect(track!.velocity.x).toBeCloseTo(0.05, 2);
    expect(track!.velocity.y).toBeCloseTo(0, 2);
  });

  it("keeps identities at one picture a second, where boxes no longer overlap", () => {
    const scene = steps(12).map((k) => [person(0.05 + 0.06 * k, 0.3), person(0.85 - 0.06 * k, 0.6)]);
    expect(idsOf(follow(new Tracker({ firstTrackId: 1 }), scene, 1))).toEqual([1, 2]);
  });

  it("keeps apart two people who pass each other", () => {
    const scene = steps(50).map((k) => [person(0.2 + 0.01 * k, 0.4), person(0.7 - 0.01 * k, 0.42)]);
    const frames = follow(new Tracker({ firstTrackId: 1 }), scene, 5);
    const last = frames.at(-1)!;
    const leftmost = last.find((track) => track.id === frames[0]![0]!.id)!;
    const first = frames[0]!.find((track) => track.id === leftmost.id)!;
    expect(Math.abs(leftmost.box.x - first.box.x)).toBeGreaterThan(0.4);
    expect(idsOf(frames)).toHaveLength(2);
  });

  it("finds somebody again who was hidden for a second", () => {
    const scene = steps(30).map((k) => (k > 12 && k < 18 ? [] : [person(0.1 + 0.01 * k, 0.4)]));
    const frames = follow(new Tracker({ firstTrackId: 1 }), scene, 5);
    expect(idsOf(frames)).toEqual([1]);
    expect(frames[15]).toMatchObject([{ state: "lost", observed: false }]);
    expect(frames[20]).toMatchObject([{ state: "confirmed", observed: true }]);
  });

  it("reports the end of a confirmed track once, and of a tentative one never", () => {
    const tracker = new Tracker({ firstTrackId: 1 });
    const scene = steps(60).map((k) => (k < 10 ? [person(0.3, 0.4)] : k === 12 ? [person(0.8, 0.8)] : []));
    const ended = scene.flatMap((detections, k) => tracker.update(detections, T0 + k * 1_000).ended);
    expect(ended.map((track) => track.id)).toEqual([1]);
    expect(ended[0]).toMatchObject({ firstSeenMs: T0, lastSeenMs: T0 + 9_000, observations: 10 });
  });

  it("carries a weak detection on, but starts nothing from one", () => {
    const scene = steps(20).map((k) => [
      person(0.3 + 0.005 * k, 0.4, { score: k < 5 ? 0.8 : 0.3 }),
      person(0.8, 0.4, { score: 0.3 }),
    ]);
    const frames = follow(new Tracker({ firstTrackId: 1 }), scene, 5);
    expect(idsOf(frames)).toEqual([1]);
    expect(frames.at(-1)).toMatchObject([{ state: "confirmed", observed: true, lastScore: 0.3 }]);
  });

  it("does not hold it against a track that nobody looked where it is", () => {
    const tracker = new Tracker({ firstTrackId: 1 });
    follow(
      tracker,
      steps(20).map(() => [person(0.3, 0.4)]),
    );
    const elsewhere: Box = { x: 0.6, y: 0, w: 0.4, h: 1 };
    const coarse = { x: 0, y: 0, w: 1, h: 1, leastSide: 0.3 };
    for (let t = 4_000; t < 30_000; t += 200) {
      const { tracks } = tracker.update([], T0 + t, t % 400 === 0 ? [elsewhere] : [coarse]);
      expect(tracks).toMatchObject([{ id: 1, state: "confirmed", observed: false, lastSeenMs: T0 + 3_800 }]);
    }
    expect(tracker.update([], T0 + 30_000).tracks).toMatchObject([{ state: "lost" }]);
  });

  it("knows since when something stands still, in spite of trembling boxes", () => {
    const tremble = (k: number) => 0.003 * Math.sin(k * 7);
    const scene = steps(100).map((k) => [
      person(k < 20 ? 0.1 + 0.015 * k : 0.4 + tremble(k), 0.4 + tremble(k + 3)),
    ]);
    const frames = follow(new Tracker({ firstTrackId: 1 }), scene, 5);
    expect(frames[15]![0]!.stationarySinceMs).toBeNull();
    const since = frames.at(-1)![0]!.stationarySinceMs!;
    expect(since - T0).toBeGreaterThan(3_000);
    expect(since - T0).toBeLessThan(7_000);
  });

  it("keeps a parked car's identity through an occlusion of twenty seconds", () => {
    const car: Detection = { objectClass: "car", score: 0.9, box: { x: 0.4, y: 0.5, w: 0.2, h: 0.15 } };
    const scene = steps(60).map((k) => (k > 20 && k < 40 ? [] : [car]));
    expect(idsOf(follow(new Tracker({ firstTrackId: 1 }), scene, 1))).toEqual([1]);
  });

  it("lets the class be what most sightings said", () => {
    const said: ObjectClass[] = ["truck", "car", "car", "truck", "car", "car"];
    const scene = said.map((objectClass) => [
      person(0.4, 0.4, { objectClass, box: { x: 0.4, y: 0.4, w: 0.2, h: 0.15 } }),
    ]);
    const frames = follow(new Tracker({ firstTrackId: 1 }), scene, 5);
    expect(frames.at(-1)).toMatchObject([{ id: 1, objectClass: "car" }]);
  });

  it("never takes a bicycle for its rider", () => {
    const bicycle = (x: number) =>
      person(x, 0.45, { objectClass: "bicycle", box: { x, y: 0.45, w: 0.06, h: 0.12 } });
    const scene = steps(20).map((k) =>
      k % 2 === 0 ? [person(0.1 + 0.02 * k, 0.4)] : [bicycle(0.1 + 0.02 * k)],
    );
    const frames = follow(new Tracker({ firstTrackId: 1 }), scene, 5);
    expect(
      frames
        .at(-1)!
        .map((track) => track.objectClass)
        .sort(),
    ).toEqual(["bicycle", "person"]);
  });

  it("ignores a late frame, and begins anew with new ids when the clock is set back", () => {
    const tracker = new Tracker({ firstTrackId: 1 });
    follow(
      tracker,
      steps(10).map(() => [person(0.3, 0.4)]),
    );
    expect(tracker.update([person(0.9, 0.4)], T0 + 1_000).tracks).toMatchObject([{ id: 1, observed: false }]);
    const set = tracker.update([person(0.3, 0.4)], T0 - 3_600_000);
    expect(set.ended).toMatchObject([{ id: 1 }]);
    expect(set.tracks).toMatchObject([{ id: 2, state: "tentative" }]);
  });

  it("keeps only what stood still over a long gap", () => {
    const tracker = new Tracker({ firstTrackId: 1 });
    const scene = steps(30).map((k) => [person(0.2 + 0.01 * k, 0.2), person(0.3, 0.7)]);
    follow(tracker, scene, 5);
    const { tracks, ended } = tracker.update([person(0.3, 0.7)], T0 + 40_000);
    expect(ended.map((track) => track.stationarySinceMs)).toEqual([null]);
    expect(tracks).toMatchObject([{ state: "confirmed", observed: true }]);
    expect(tracks[0]!.stationarySinceMs).not.toBeNull();
  });
});

describe("Tracker over random scenes", () => {
  const fraction = fc.double({ min: 0, max: 0.8, noNaN: true });
  const speed = fc.double({ min: -0.02, max: 0.02, noNaN: true });
  const walker = fc.record({
    x: fraction,
    y: fraction,
    vx: speed,
    vy: speed,
    blink: fc.integer({ min: 2, max: 9 }),
  });
  const walkers = fc.array(walker, { minLength: 1, maxLength: 6 });
  type Walker = { x: number; y: number; vx: number; vy: number; blink: number };

  const detect = (all: readonly Walker[], k: number): Detection[] =>
    all.flatMap(({ x, y, vx, vy, blink }) =>
      k % blink === blink - 1 ? [] : [person(x + vx * k, y + vy * k, { score: 0.5 + (blink % 5) / 10 })],
    );
  const story = (frames: readonly (readonly Track[])[]) =>
    frames.map((tracks) => tracks.map(({ id, state }) => [id, state]));

  it("gives the same result in whatever order the detections come", () => {
    fc.assert(
      fc.property(walkers, fc.integer(), (all, seed) => {
        const shuffled = (list: Detection[]) =>
          seed % 2 === 0 ? list.toReversed() : [...list.slice(1), ...list.slice(0, 1)];
        const scene = steps(20).map((k) => detect(all, k));
        const one = follow(new Tracker({ firstTrackId: 1 }), scene);
        const other = follow(new Tracker({ firstTrackId: 1 }), scene.map(shuffled));
        expect(other).toEqual(one);
      }),
    );
  });

  it("gives the same identities when the whole scene is moved or scaled", () => {
    // Powers of two and dyadic places keep the arithmetic exact: only the geometry is under test.
    const dyadic = fc.integer({ min: 0, max: 24 }).map((n) => n / 64);
    const slow = fc.integer({ min: -2, max: 2 }).map((n) => n / 256);
    const exact = fc.record({
      x: dyadic,
      y: dyadic,
      vx: slow,
      vy: slow,
      blink: fc.integer({ min: 2, max: 9 }),
    });
    // Two at one place are alike to the last bit: which is which is then a matter of rounding.
    const apart = fc.uniqueArray(exact, { minLength: 1, maxLength: 5, selector: ({ x, y }) => `${x} ${y}` });
    const inner = { left: 0.25, top: 0.25 };
    fc.assert(
      fc.property(apart, (all) => {
        // Everyone of a size of their own: between two who are mirror images rounding would decide.
        const place = (scale: number, dx: number, dy: number) =>
          steps(16).map((k) =>
            all.flatMap((walker, i) =>
              detect([walker], k).map((detection): Detection => {
                const { x, y } = detection.box;
                const box = { x: inner.left + x, y: inner.top + y, w: (8 + i) / 256, h: (32 + i) / 256 };
                return {
                  ...detection,
                  box: { x: box.x * scale + dx, y: box.y * scale + dy, w: box.w * scale, h: box.h * scale },
                };
              }),
            ),
          );
        const run = (scale: number, dx: number, dy: number) =>
          story(follow(new Tracker({ firstTrackId: 1, aspectRatio: 2 }), place(scale, dx, dy)));
        const original = run(1, 0, 0);
        expect(run(1, 1 / 16, -1 / 16)).toEqual(original);
        expect(run(0.5, 1 / 8, 1 / 4)).toEqual(original);
      }),
    );
  });

  it("never gives an id twice, and lists ids in rising order", () => {
    fc.assert(
      fc.property(
        walkers,
        fc.array(fc.integer({ min: -20_000, max: 20_000 }), { minLength: 20, maxLength: 20 }),
        (all, jumps) => {
          const tracker = new Tracker({ firstTrackId: 7 });
          const over = new Set<number>();
          let atMs = T0;
          steps(20).forEach((k) => {
            atMs += jumps[k]! > 10_000 ? jumps[k]! : 200;
            const { tracks, ended } = tracker.update(detect(all, k), atMs);
            const ids = tracks.map(({ id }) => id);
            expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
            expect(ids.some((id) => over.has(id) || id < 7 || id >= tracker.nextTrackId)).toBe(false);
            for (const { id } of ended) {
              expect(over.has(id)).toBe(false);
              over.add(id);
            }
          });
        },
      ),
    );
  });
});
