import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type InputFrame, type RecordedRun, recordRun } from "../test-support/recorded-run.ts";
import { SQUARE, UPWARDS, ruleOf } from "../test-support/rules.ts";
import { RuleEngine } from "../rules/rule-engine.ts";
import type { RuleOutcome } from "../rules/outcome.ts";
import type { Track } from "../tracker/track.ts";
import { FrameTimeline } from "./frame-timeline.ts";
import { TrackReplay } from "./track-replay.ts";

const T0 = 1_700_000_000_000;
const STEP_MS = 200;

interface Walker {
  /** Foot point and speed, in fractions of the picture and fractions a second. */
  readonly x: number;
  readonly y: number;
  readonly vx: number;
  readonly vy: number;
  readonly fromFrame: number;
  readonly frames: number;
  /** Frames of its own in which the detector misses it. */
  readonly missed: ReadonlySet<number>;
}

function walk(walkers: readonly Walker[], frames: number): InputFrame[] {
  return Array.from({ length: frames }, (_, k) => ({
    capturedAtMs: T0 + k * STEP_MS,
    detections: walkers.flatMap((walker, w) => {
      const age = k - walker.fromFrame;
      const x = walker.x + (walker.vx * age * STEP_MS) / 1000;
      const y = walker.y + (walker.vy * age * STEP_MS) / 1000;
      const isThere = age >= 0 && age < walker.frames && !walker.missed.has(age);
      if (!isThere || x < 0.05 || x > 0.95 || y < 0.2 || y > 0.98) return [];
      // The detector trembles by a hundredth of the box.
      const tremble = 0.0008 * Math.sin(k * 7.3 + w);
      return [
        {
          objectClass: "person" as const,
          score: 0.6 + 0.2 * Math.sin(k + w),
          box: { x: x - 0.02 + tremble, y: y - 0.14, w: 0.04, h: 0.14 },
        },
      ];
    }),
  }));
}

/** Every frame of the run, as the store gives it back. */
function replay(run: RecordedRun): Map<number, Track[]> {
  const replayed = new Map<number, Track[]>();
  const [fromMs, toMs] = [run.live[0]!.capturedAtMs, run.live.at(-1)!.capturedAtMs + 1];
  const tracks = new TrackReplay({ aspectRatio: 16 / 9, historyOf: (id) => run.histories.get(id) });
  const timeline = new FrameTimeline({
    range: { fromMs, toMs },
    intervalMs: STEP_MS,
    spans: [{ fromMs, toMs: toMs - 1, intervalMs: STEP_MS }],
  });
  const take = (
    frames: Iterable<{ capturedAtMs: number; sightings: Parameters<TrackReplay["update"]>[0] }>,
  ) => {
    for (const frame of frames)
      replayed.set(frame.capturedAtMs, tracks.update(frame.sightings, frame.capturedAtMs));
  };
  for (const frame of run.stored) take(timeline.until(frame));
  take(timeline.rest());
  return replayed;
}

const walkers = fc.array(
  fc.record({
    x: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    y: fc.double({ min: 0.3, max: 0.9, noNaN: true }),
    vx: fc.constantFrom(0, 0, 0.03, -0.05, 0.08),
    vy: fc.constantFrom(0, 0, 0.02, -0.03),
    fromFrame: fc.nat(40),
    frames: fc.integer({ min: 10, max: 120 }),
    missed: fc.array(fc.nat(120), { maxLength: 6 }).map((list) => new Set(list)),
  }),
  { minLength: 1, maxLength: 4 },
);

describe("stored tracks, read again", () => {
  it("have every frame, also those that left no row", () => {
    const run = recordRun(walk([walker({ fromFrame: 20, frames: 30 })], 100));
    expect([...replay(run).keys()]).toEqual(run.live.map(({ capturedAtMs }) => capturedAtMs));
  });

  it("hold the boxes, scores and sightings that the live tracker gave", () => {
    fc.assert(
      fc.property(walkers, (some) => {
        const run = recordRun(walk(some, 130));
        const replayed = replay(run);
        for (const { capturedAtMs, tracks } of run.live) {
          const again = replayed.get(capturedAtMs)!;
          for (const track of tracks.filter(({ observed }) => observed)) {
            const same = again.find(({ id }) => id === track.id)!;
            expect(same.observed).toBe(true);
            expect(same.state).toBe("confirmed");
            expect(same.box.x).toBeCloseTo(track.box.x, 3);
            expect(same.box.h).toBeCloseTo(track.box.h, 3);
            expect(same.firstSeenMs).toBe(track.firstSeenMs);
            // Sightings from before it was believed are not stored.
            expect(Math.abs(same.scoreMean - track.scoreMean)).toBeLessThan(0.05 + 1 / track.observations);
            expect(same.observations).toBeLessThanOrEqual(track.observations + 1);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("stand still since when the live tracker said so, to within two frames, in all but a few", () => {
    let compared = 0;
    let differing = 0;
    fc.assert(
      fc.property(walkers, (some) => {
        const run = recordRun(walk(some, 130));
        const replayed = replay(run);
        for (const { capturedAtMs, tracks } of run.live) {
          for (const track of tracks.filter(({ observed }) => observed)) {
            const since = replayed.get(capturedAtMs)!.find(({ id }) => id === track.id)!.stationarySinceMs;
            compared++;
            const isSame =
              since === null || track.stationarySinceMs === null
                ? since === track.stationarySinceMs
                : Math.abs(since - track.stationarySinceMs) <= 2 * STEP_MS;
            if (!isSame) differing++;
          }
        }
      }),
      { numRuns: 60, seed: 7 },
    );
    expect(compared).toBeGreaterThan(5_000);
    expect(differing / compared).toBeLessThan(0.02);
  });

  it("are lost while nobody sees them, and over after the tracker's patience", () => {
    const gone = new Set([40, 41, 42, 43, 44]);
    const run = recordRun(walk([walker({ vx: 0.03, fromFrame: 0, frames: 60, missed: gone })], 100));
    const replayed = replay(run);
    const statesOf = (tracks: readonly Track[]) => tracks.map(({ state }) => state);
    for (const k of [39, 40, 42, 44, 45, 59, 61, 65])
      expect([k, statesOf(replayed.get(T0 + k * STEP_MS)!)]).toEqual([k, statesOf(run.live[k]!.tracks)]);
    expect(replayed.get(T0 + 90 * STEP_MS)).toEqual([]);
    expect(run.live[90]!.tracks).toEqual([]);
  });

  it("keep an object that is only looked at rarely because it stands still", () => {
    // The motion gate: after ten seconds its place is inspected every two seconds only.
    const frames = walk([walker({ frames: 300 })], 300).map((frame, k) =>
      k < 50 || k % 10 === 0 ? frame : { ...frame, detections: [], inspected: [] },
    );
    const run = recordRun(frames);
    const at = T0 + 255 * STEP_MS;
    const [live] = run.live.find(({ capturedAtMs }) => capturedAtMs === at)!.tracks;
    const [again] = replay(run).get(at)!;
    expect(live).toMatchObject({ state: "confirmed", observed: false });
    expect(again).toMatchObject({ state: "confirmed", observed: false, id: live!.id });
    expect(again!.stationarySinceMs).not.toBeNull();
  });

  it("let rules say what they said live", () => {
    const rules = [
      ruleOf("intrusion", { persistenceMs: 1_000 }),
      ruleOf("line_crossing"),
      ruleOf("dwell", { persistenceMs: 5_000 }),
      ruleOf("count_over", { threshold: 1, persistenceMs: 1_000 }),
    ];
    let said = 0;
    let missing = 0;
    fc.assert(
      fc.property(walkers, (some) => {
        const run = recordRun(walk(some, 130));
        const live = new RuleEngine(rules, [SQUARE, UPWARDS]);
        const again = new RuleEngine(rules, [SQUARE, UPWARDS]);
        const spoken = run.live.flatMap((frame) => live.update(frame.tracks, frame.capturedAtMs));
        const repeated = [...replay(run)].flatMap(([atMs, tracks]) => again.update(tracks, atMs));
        const near = (a: RuleOutcome, b: RuleOutcome) =>
          a.type === b.type &&
          a.ruleId === b.ruleId &&
          Math.abs(a.capturedAtMs - b.capturedAtMs) <= 2 * STEP_MS;
        for (const one of [spoken, repeated]) {
          const other = one === spoken ? repeated : spoken;
          said += one.length;
          missing += one.filter((outcome) => !other.some((each) => near(outcome, each))).length;
        }
      }),
      { numRuns: 80, seed: 11 },
    );
    expect(said).toBeGreaterThan(300);
    expect(missing / said).toBeLessThan(0.03);
  });

  it("are bounded: what ended is forgotten", () => {
    const replayed = new TrackReplay({ aspectRatio: 1, historyOf: () => undefined });
    for (let k = 0; k < 5_000; k++) {
      const box = { x: 0.4, y: 0.4, w: 0.1, h: 0.1 };
      const living = replayed.update([{ trackId: k, objectClass: "person", score: 0.9, box }], T0 + k * 200);
      expect(living.length).toBeLessThan(20);
    }
  });
});

function walker(fields: Partial<Walker>): Walker {
  return { x: 0.4, y: 0.6, vx: 0, vy: 0, fromFrame: 0, frames: 100, missed: new Set(), ...fields };
}
