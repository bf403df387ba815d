import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Detection } from "../detection.ts";
import { Tracker } from "./tracker.ts";

const T0 = 1_700_000_000_000;
const DAY = 24 * 3_600_000;

/** Somebody who walks along a lane of their own, and is overlooked in some frames. */
interface Walker {
  /** Where they are halfway. */
  readonly middle: number;
  /** Picture widths a second. */
  readonly speed: number;
  readonly size: number;
  readonly overlooked: readonly number[];
}

/** A detection, and whose it is. */
interface Sighting {
  readonly walker: number;
  readonly detection: Detection;
}
interface Scene {
  readonly atMs: number;
  readonly sightings: readonly Sighting[];
}

const FRAMES = 16;
const walkers = fc.array(
  fc.record({
    middle: fc.double({ min: 0.45, max: 0.5, noNaN: true }),
    speed: fc.double({ min: -0.08, max: 0.08, noNaN: true }),
    size: fc.double({ min: 0.8, max: 1.2, noNaN: true }),
    overlooked: fc.uniqueArray(fc.integer({ min: 3, max: FRAMES - 4 }), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);
const rates = fc.constantFrom(2, 5, 10, 25);
/** Frames come early and late by up to a third of their distance. */
const jitters = fc.array(fc.double({ min: -0.33, max: 0.33, noNaN: true }), {
  minLength: FRAMES,
  maxLength: FRAMES,
});

function film(all: readonly Walker[], fps: number, jitter: readonly number[]): Scene[] {
  return jitter.map((early, k) => {
    const seconds = (k + early) / fps;
    const sightings = all.flatMap(({ middle, speed, size, overlooked }, walker): Sighting[] => {
      if (overlooked.includes(k)) return [];
      const box = {
        x: middle + speed * (seconds - FRAMES / fps / 2),
        y: 0.05 + 0.24 * walker,
        w: 0.04 * size,
        h: 0.15 * size,
      };
      return [{ walker, detection: { objectClass: "person", score: 0.7 + 0.05 * walker, box } }];
    });
    return { atMs: T0 + Math.round(seconds * 1000), sightings };
  });
}

/** For each frame the walkers and the ids that they got, as pairs. */
function identities(
  scenes: readonly Scene[],
  transform: (detection: Detection) => Detection = (same) => same,
) {
  const tracker = new Tracker({ firstTrackId: 1 });
  return scenes.map(({ atMs, sightings }) => {
    const { tracks } = tracker.update(
      sightings.map(({ detection }) => transform(detection)),
      atMs,
    );
    return sightings.map(({ walker, detection }) => {
      const { x, y, w, h } = transform(detection).box;
      const nearest = tracks
        .filter(({ observed }) => observed)
        .map(({ id, box }) => ({
          id,
          far: Math.hypot(box.x + box.w / 2 - x - w / 2, box.y + box.h / 2 - y - h / 2),
        }))
        .sort((a, b) => a.far - b.far)[0];
      return `${walker}=${nearest?.id}`;
    });
  });
}

/** How many ids each walker got, and how many there were in all. */
function partition(result: readonly (readonly string[])[]): { pairs: number; walkers: number; ids: number } {
  const pairs = [...new Set(result.flat())];
  return {
    pairs: pairs.length,
    walkers: new Set(pairs.map((pair) => pair.split("=")[0])).size,
    ids: new Set(pairs.map((pair) => pair.split("=")[1])).size,
  };
}

const reversed = (scenes: readonly Scene[]): Scene[] =>
  scenes.toReversed().map(({ atMs, sightings }) => ({ atMs: 2 * T0 + 60_000 - atMs, sightings }));

const mirrored = (detection: Detection): Detection => ({
  ...detection,
  box: { ...detection.box, x: 1 - detection.box.x - detection.box.w },
});

describe("Identity", () => {
  it("is one for each who keeps to a lane, at any rate and with uneven steps, forwards, backwards and mirrored", () => {
    fc.assert(
      fc.property(walkers, rates, jitters, (all, fps, jitter) => {
        const scenes = film(all, fps, jitter);
        const one = { pairs: all.length, walkers: all.length, ids: all.length };
        expect(partition(identities(scenes))).toEqual(one);
        expect(partition(identities(reversed(scenes)))).toEqual(one);
        expect(partition(identities(scenes, mirrored))).toEqual(one);
      }),
      { numRuns: 60 },
    );
  });

  it("is the same at any hour, and in every run", () => {
    fc.assert(
      fc.property(walkers, rates, jitters, fc.integer({ min: 0, max: DAY }), (all, fps, jitter, later) => {
        const scenes = film(all, fps, jitter);
        const first = identities(scenes);
        expect(identities(scenes)).toEqual(first);
        expect(identities(scenes.map((scene) => ({ ...scene, atMs: scene.atMs + later })))).toEqual(first);
      }),
      { numRuns: 40 },
    );
  });

  it("is given to nobody else within a day", () => {
    const tracker = new Tracker({ firstTrackId: 1 });
    let newest = 0;
    const known = new Set<number>();
    for (let k = 0; k * 5_000 < DAY; k++) {
      const visitor = k % 7 < 4 ? [{ x: 0.1 + 0.1 * (k % 7), lane: k % 3 }] : [];
      const detections = visitor.map(({ x, lane }): Detection => ({
        objectClass: "person",
        score: 0.8,
        box: { x, y: 0.2 + 0.2 * lane, w: 0.04, h: 0.15 },
      }));
      for (const { id } of tracker.update(detections, T0 + k * 5_000).tracks) {
        if (known.has(id)) continue;
        expect(id).toBeGreaterThan(newest);
        newest = id;
        known.add(id);
      }
    }
    expect(known.size).toBeGreaterThan(1_000);
  });
});
