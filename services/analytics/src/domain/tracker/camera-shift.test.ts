import { describe, expect, it } from "vitest";
import type { Detection } from "../detection.ts";
import { CameraHabits } from "./camera-habits.ts";
import { cameraShift } from "./camera-shift.ts";
import { LivingTrack } from "./living-track.ts";
import { measure } from "./measurement.ts";
import { Tracker } from "./tracker.ts";

const ASPECT = 16 / 9;
const T0 = 1_700_000_000_000;

const person = (x: number, y: number): Detection => ({
  objectClass: "person",
  score: 0.8,
  box: { x, y, w: 0.03, h: 0.14 },
});
const PLACES = [
  { x: 0.2, y: 0.3 },
  { x: 0.4, y: 0.5 },
  { x: 0.6, y: 0.35 },
  { x: 0.75, y: 0.6 },
];

function knownTracks(): LivingTrack[] {
  const habits = new CameraHabits();
  return PLACES.map(({ x, y }, id) => {
    const measured = measure(person(x, y), ASPECT);
    const track = new LivingTrack(id, measured, T0, habits);
    for (let k = 1; k <= 5; k++) {
      track.predict(0.2);
      track.correct(measured, T0 + k * 200, habits.typicalScore);
    }
    return track;
  });
}

const moved = (dx: number, dy: number) => PLACES.map(({ x, y }) => measure(person(x + dx, y + dy), ASPECT));

describe("cameraShift", () => {
  it("finds the displacement that all objects share", () => {
    const shift = cameraShift(knownTracks(), moved(0.05, -0.06));
    expect(shift!.x).toBeCloseTo(0.05 * ASPECT, 3);
    expect(shift!.y).toBeCloseTo(-0.06, 3);
  });

  it("finds it with one object hidden and another one new", () => {
    const shift = cameraShift(knownTracks(), [
      ...moved(0.05, -0.06).slice(1),
      measure(person(0.1, 0.7), ASPECT),
    ]);
    expect(shift!.x).toBeCloseTo(0.05 * ASPECT, 3);
  });

  it("says nothing while the objects are where they are expected, or each goes its own way", () => {
    expect(cameraShift(knownTracks(), moved(0, 0))).toBeNull();
    const scattered = PLACES.map(({ x, y }, i) =>
      measure(person(x + 0.05 * (i % 2 ? 1 : -1), y + 0.04 * i), ASPECT),
    );
    expect(cameraShift(knownTracks(), scattered)).toBeNull();
    expect(cameraShift(knownTracks(), [])).toBeNull();
    expect(cameraShift(knownTracks().slice(0, 1), moved(0.05, 0))).toBeNull();
  });

  it("leaves a camera alone when only some objects move", () => {
    const oneWalks = PLACES.map(({ x, y }, i) => measure(person(i < 2 ? x + 0.05 : x, y), ASPECT));
    expect(cameraShift(knownTracks(), oneWalks)).toBeNull();
  });
});

describe("Tracker behind a camera in the wind", () => {
  it("keeps identities", () => {
    const tracker = new Tracker({ firstTrackId: 1, aspectRatio: ASPECT });
    let ids = new Set<number>();
    for (let k = 0; k < 60; k++) {
      const dx = k < 10 ? 0 : 0.04 * Math.sin(k * 1.3);
      const dy = k < 10 ? 0 : 0.05 * Math.cos(k * 1.7);
      const { tracks } = tracker.update(
        PLACES.map(({ x, y }) => person(x + dx, y + dy)),
        T0 + k * 200,
      );
      ids = new Set([...ids, ...tracks.map((track) => track.id)]);
    }
    expect(ids.size).toBe(PLACES.length);
  });
});
