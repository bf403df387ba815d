import { describe, expect, it } from "vitest";
import type { Detection } from "../detection.ts";
import { type Appearance, appearanceDistance, type Look } from "./appearance.ts";
import { Tracker } from "./tracker.ts";

const T0 = 1_700_000_000_000;
const RED = Float32Array.of(0.9, 0.05, 0.05);
const BLUE = Float32Array.of(0.05, 0.05, 0.9);

interface Somebody {
  readonly x: number;
  readonly look: Appearance;
}

const detect = ({ x }: Somebody): Detection => ({
  objectClass: "person",
  score: 0.85,
  box: { x, y: 0.4, w: 0.04, h: 0.16 },
});

/** Runs scenes of people at five pictures a second; returns who got which id in the last one, by look. */
function follow(frames: readonly (readonly Somebody[])[], withLooks = true) {
  const tracker = new Tracker({ firstTrackId: 1 });
  let looks = 0;
  let last: { red: number | undefined; blue: number | undefined } = { red: undefined, blue: undefined };
  frames.forEach((people, k) => {
    const look: Look = (box) => {
      looks++;
      return people.find(({ x }) => x === box.x)?.look ?? null;
    };
    const { tracks } = tracker.update(
      people.map(detect),
      T0 + k * 200,
      undefined,
      withLooks ? look : undefined,
    );
    const idOf = (wanted: Appearance) => {
      const one = people.find((person) => person.look === wanted);
      return one && tracks.find(({ box, observed }) => observed && Math.abs(box.x - one.x) < 0.03)?.id;
    };
    last = { red: idOf(RED), blue: idOf(BLUE) };
  });
  return { last, looks };
}

const steps = (count: number) => Array.from({ length: count }, (_, k) => k);

/** Two walk towards one another, are hidden for a second where they meet, and turn round there or walk on. */
const meeting = (turnRound: boolean) =>
  steps(50).map((k): Somebody[] => {
    if (k >= 20 && k < 26) return [];
    const way = 0.008 * (k < 23 || !turnRound ? k : 46 - k);
    return [
      { x: 0.3 + way, look: RED },
      { x: 0.66 - way, look: BLUE },
    ];
  });

describe("Looks", () => {
  it("are alike at distance 0 and have nothing in common at distance 1", () => {
    expect(appearanceDistance(RED, RED)).toBeCloseTo(0);
    expect(appearanceDistance(Float32Array.of(1, 0), Float32Array.of(0, 1))).toBeCloseTo(1);
  });

  it("tell who walked on and who turned round behind an occlusion", () => {
    for (const turnRound of [true, false]) {
      expect(follow(meeting(turnRound)).last).toEqual({ red: 1, blue: 2 });
    }
  });

  it("give somebody else who comes out nearby a new identity", () => {
    const scene = steps(30).map((k): Somebody[] => {
      if (k > 12 && k < 18) return [];
      return [k < 15 ? { x: 0.3 + 0.004 * k, look: RED } : { x: 0.35 + 0.004 * k, look: BLUE }];
    });
    expect(follow(scene).last).toEqual({ red: undefined, blue: 2 });
    expect(follow(scene, false).last).toEqual({ red: undefined, blue: 1 });
  });

  it("are not asked for in every frame of somebody who walks alone", () => {
    const scene = steps(50).map((k): Somebody[] => [{ x: 0.2 + 0.008 * k, look: RED }]);
    expect(follow(scene)).toMatchObject({ last: { red: 1 } });
    expect(follow(scene).looks).toBeLessThan(15);
  });

  it("may be absent: a box too small to show anything is followed all the same", () => {
    const tracker = new Tracker({ firstTrackId: 1 });
    const ids = steps(20).flatMap((k) =>
      tracker
        .update([detect({ x: 0.2 + 0.008 * k, look: RED })], T0 + k * 200, undefined, () => null)
        .tracks.map(({ id }) => id),
    );
    expect(new Set(ids)).toEqual(new Set([1]));
  });
});
