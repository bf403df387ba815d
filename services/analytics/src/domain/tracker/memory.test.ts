import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Detection } from "../detection.ts";
import { Tracker } from "./tracker.ts";

const T0 = 1_700_000_000_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const vehicle = (x: number, y: number, overrides: Partial<Detection> = {}): Detection => ({
  objectClass: "car",
  score: 0.85,
  box: { x, y, w: 0.12, h: 0.1 },
  ...overrides,
});
const PLACE = { x: 0.44, y: 0.5 };
const parked = vehicle(PLACE.x, PLACE.y);
const NOWHERE: [] = [];
const WHOLE = [{ x: 0, y: 0, w: 1, h: 1 }];

/** A tracker that has watched a parked car for so long, five times a second for the first ten seconds. */
function afterParking(ms: number): { tracker: Tracker; nowMs: number } {
  const tracker = new Tracker({ firstTrackId: 1 });
  for (let t = 0; t < 10 * SECOND; t += 200) tracker.update([parked], T0 + t);
  for (let t = 10 * SECOND; t <= ms; t += 10 * SECOND) tracker.update([parked], T0 + t);
  return { tracker, nowMs: T0 + Math.max(ms, 10 * SECOND) };
}

const idAt = (tracker: Tracker, nowMs: number, detections: readonly Detection[] = [parked]) =>
  tracker
    .update(detections, nowMs)
    .tracks.filter(({ box, observed }) => observed && Math.abs(box.x - PLACE.x) < 0.06)
    .map(({ id }) => id);

describe("Memory of what stands still", () => {
  it("keeps a parked car's identity over a working day, rechecked every ten minutes", () => {
    const { tracker, nowMs } = afterParking(MINUTE);
    for (let t = SECOND; t < 10 * HOUR; t += SECOND * 5) {
      const due = t % (10 * MINUTE) === SECOND;
      tracker.update(due ? [parked] : [], nowMs + t, due ? WHOLE : NOWHERE);
    }
    expect(idAt(tracker, nowMs + 10 * HOUR)).toEqual([1]);
  });

  it("keeps it while nobody looks there for three hours", () => {
    const { tracker, nowMs } = afterParking(MINUTE);
    for (let t = SECOND; t < 3 * HOUR; t += SECOND) tracker.update([], nowMs + t, NOWHERE);
    expect(idAt(tracker, nowMs + 3 * HOUR)).toEqual([1]);
  });

  it("keeps it while the camera is away for five minutes, not for an hour", () => {
    for (const [awayMs, ids] of [
      [5 * MINUTE, [1]],
      [HOUR, [2]],
    ] as const) {
      const { tracker, nowMs } = afterParking(MINUTE);
      expect(idAt(tracker, nowMs + awayMs)).toEqual(ids);
    }
  });

  it("looks for it the longer the longer it stood: rechecks in vain do not end a car that stood for an hour", () => {
    const outcome = (stoodMs: number, missedMs: number) => {
      const { tracker, nowMs } = afterParking(stoodMs);
      for (let t = 10 * SECOND; t < missedMs; t += 10 * SECOND) tracker.update([], nowMs + t, WHOLE);
      return idAt(tracker, nowMs + missedMs);
    };
    expect(outcome(HOUR, 5 * MINUTE)).toEqual([1]);
    expect(outcome(HOUR, 20 * MINUTE)).toEqual([2]);
    expect(outcome(10 * SECOND, 5 * MINUTE)).toEqual([2]);
  });

  it("keeps it behind a lorry that stands before it for an hour", () => {
    const lorry = vehicle(0.4, 0.45, { objectClass: "truck", box: { x: 0.4, y: 0.4, w: 0.22, h: 0.25 } });
    const { tracker, nowMs } = afterParking(MINUTE);
    for (let t = 200; t < 20 * SECOND; t += 200) {
      const coming = { ...lorry, box: { ...lorry.box, x: Math.min(0.4, -0.2 + t * 0.00006) } };
      const hides = coming.box.x > 0.3;
      tracker.update(hides ? [coming] : [coming, parked], nowMs + t);
    }
    for (let t = 20 * SECOND; t < HOUR; t += 10 * SECOND) tracker.update([lorry], nowMs + t);
    expect(idAt(tracker, nowMs + HOUR)).toEqual([1]);
  });

  it("does not let a passing vehicle take its identity away, at any speed and rate", () => {
    const passing = fc.record({
      speed: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
      size: fc.double({ min: 0.7, max: 2.2, noNaN: true }),
      below: fc.double({ min: 0.02, max: 0.06, noNaN: true }),
      leftwards: fc.boolean(),
      fps: fc.constantFrom(1, 2, 5, 10),
    });
    fc.assert(
      fc.property(passing, ({ speed, size, below, leftwards, fps }) => {
        const { tracker, nowMs } = afterParking(2 * MINUTE);
        const w = 0.12 * size;
        const h = 0.1 * size;
        let t = 0;
        for (let way = -w; way < 1; way += speed / fps) {
          t += SECOND / fps;
          const x = leftwards ? 1 - w - way : way;
          const other = vehicle(0, 0, { box: { x, y: PLACE.y + 0.1 + below - h, w, h } });
          const shared = Math.min(x + w, PLACE.x + 0.12) - Math.max(x, PLACE.x);
          tracker.update(shared > 0.04 ? [other] : [other, parked], nowMs + t);
        }
        expect(idAt(tracker, nowMs + t + SECOND)).toEqual([1]);
      }),
      { numRuns: 60 },
    );
  });

  it("lets it drive off under its identity after an hour", () => {
    for (const fps of [2, 5, 10]) {
      const { tracker, nowMs } = afterParking(HOUR);
      let last: number[] = [];
      for (let k = 1; k <= 6 * fps; k++) {
        const seconds = k / fps;
        const x = PLACE.x + 0.012 * Math.min(seconds, 4) ** 2 + 0.096 * Math.max(0, seconds - 4);
        const { tracks } = tracker.update([vehicle(x, PLACE.y)], nowMs + Math.round(seconds * SECOND));
        last = tracks.filter(({ observed }) => observed).map(({ id }) => id);
      }
      expect(last).toEqual([1]);
    }
  });
});
