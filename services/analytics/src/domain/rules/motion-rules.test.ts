import { GroundPlane, positionAt } from "@huishi/kernel";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SQUARE, ruleOf, trackAt } from "../test-support/rules.ts";
import type { Track } from "../tracker/track.ts";
import { robustMovement } from "./motion-trail.ts";
import type { RuleOutcome } from "./outcome.ts";
import { RuleEngine } from "./rule-engine.ts";

const T0 = 1_700_000_000_000;
const ORIGIN = { latitude: 31.23, longitude: 121.47 };
const at = (x: number, y: number) => positionAt(ORIGIN, { x, y });
/** From straight above: the picture is 100 m wide and 50 m high. */
const FROM_ABOVE = new GroundPlane([
  { picture: { x: 0, y: 1 }, position: at(0, 0) },
  { picture: { x: 1, y: 1 }, position: at(100, 0) },
  { picture: { x: 1, y: 0 }, position: at(100, 50) },
  { picture: { x: 0, y: 0 }, position: at(0, 50) },
]);

interface Play {
  readonly stepMs?: number;
  readonly untilMs: number;
}

function play(
  engine: RuleEngine,
  { stepMs = 200, untilMs }: Play,
  scene: (t: number) => Track[],
): RuleOutcome[] {
  const outcomes: RuleOutcome[] = [];
  for (let t = 0; t <= untilMs; t += stepMs) outcomes.push(...engine.update(scene(t), T0 + t));
  return outcomes;
}

const typesOf = (outcomes: readonly RuleOutcome[]) => outcomes.map(({ type }) => type);
/** A small deterministic tremble of -1..1. */
const tremble = (k: number) => Math.sin(k * 12.9898) * Math.cos(k * 78.233);

describe("wrong_way", () => {
  /** The allowed way is upwards. */
  const rule = ruleOf("wrong_way", { headingDeg: 0 });
  const drive =
    (speed: number, shake = 0) =>
    (t: number) => [
      trackAt(1, 0.5 + shake * tremble(t), 0.5 + (speed * (t - 1_500)) / 1000 + shake * tremble(t + 7), {
        objectClass: "car",
      }),
    ];

  it("raises for who comes against the heading, with him as evidence", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    expect(play(engine, { untilMs: 3_000 }, drive(0.1))).toMatchObject([{ type: "raised", trackIds: [1] }]);
  });

  it("raises nothing for who goes the allowed way, or across it", () => {
    expect(play(new RuleEngine([rule], [SQUARE]), { untilMs: 3_000 }, drive(-0.1))).toEqual([]);
    const across = (t: number) => [trackAt(1, 0.35 + t / 20_000, 0.5)];
    expect(play(new RuleEngine([rule], [SQUARE]), { untilMs: 5_000 }, across)).toEqual([]);
  });

  it("takes no trembling for a movement, however fast each step is", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    expect(play(engine, { untilMs: 60_000 }, drive(0, 0.03))).toEqual([]);
  });

  it("sees the way through a tremble of the box", () => {
    expect(typesOf(play(new RuleEngine([rule], [SQUARE]), { untilMs: 3_000 }, drive(0.1, 0.01)))).toEqual([
      "raised",
    ]);
  });

  it("works at one frame a second", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const slow = (t: number) => [trackAt(1, 0.5, 0.32 + (0.04 * t) / 1000)];
    expect(typesOf(play(engine, { stepMs: 1_000, untilMs: 8_000 }, slow))).toEqual(["raised"]);
  });

  it("forgets the way at a gap: an object elsewhere afterwards has not driven there", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const jump = (t: number) => [trackAt(1, 0.5, t < 2_000 ? 0.35 : 0.65)];
    play(engine, { untilMs: 1_000 }, jump);
    for (let t = 40_000; t < 41_000; t += 200) expect(engine.update(jump(t), T0 + t)).toEqual([]);
  });

  it("takes a track that ran on unseen and is found again behind for no movement", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const found = (t: number) => {
      if (t <= 400) return [trackAt(1, 0.5, 0.5 - t / 20_000)];
      if (t < 3_000) return [trackAt(1, 0.5, 0.4, { observed: false })];
      return [trackAt(1, 0.5, t < 3_200 ? 0.65 : 0.655)];
    };
    expect(play(engine, { untilMs: 3_400 }, found)).toEqual([]);
  });

  it("never raises on a walk that goes nowhere against it", () => {
    const step = fc.record({
      dx: fc.double({ min: -0.02, max: 0.02, noNaN: true }),
      up: fc.double({ min: 0, max: 0.02, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const engine = new RuleEngine([rule], [SQUARE]);
        let [x, y] = [0.5, 0.69];
        steps.forEach(({ dx, up }, k) => {
          x += dx;
          y -= up;
          expect(engine.update([trackAt(1, x, y)], T0 + k * 200)).toEqual([]);
        });
      }),
    );
  });
});

describe("speed_over", () => {
  const rule = ruleOf("speed_over", { speedKmh: 50 });
  const engineOf = () => new RuleEngine([rule], [SQUARE], undefined, { groundPlane: FROM_ABOVE });
  /** Drives to the right: 100 m of the ground are one width of the picture. */
  const drive =
    (kmh: number, shake = 0) =>
    (t: number) => [
      trackAt(1, 0.3 + (kmh / 3.6 / 100) * (t / 1000) + shake * tremble(t), 0.5 + shake * tremble(t + 3), {
        objectClass: "car",
      }),
    ];

  it("raises for who is faster on the ground, and for nobody slower", () => {
    expect(typesOf(play(engineOf(), { untilMs: 2_000 }, drive(70)))).toEqual(["raised"]);
    expect(play(engineOf(), { untilMs: 3_000 }, drive(45))).toEqual([]);
  });

  it("gives the benefit of the doubt for the foot point's error", () => {
    expect(play(engineOf(), { untilMs: 2_000 }, drive(50.5))).toEqual([]);
  });

  it("is not misled by trembling boxes", () => {
    expect(play(engineOf(), { untilMs: 3_000 }, drive(45, 0.002))).toEqual([]);
    expect(play(engineOf(), { untilMs: 30_000 }, drive(0, 0.004))).toEqual([]);
  });

  it("leaves out a box that jumps to another object", () => {
    const jumping = (t: number) => (t === 1_000 ? [trackAt(1, 0.68, 0.5)] : drive(30)(t));
    expect(play(engineOf(), { untilMs: 3_000 }, jumping)).toEqual([]);
    const switched = (t: number) =>
      t >= 1_000 ? [trackAt(1, drive(30)(t)[0]!.box.x + 0.22, 0.5)] : drive(30)(t);
    expect(play(engineOf(), { untilMs: 2_000 }, switched)).toEqual([]);
  });

  it("does nothing without a ground plane, and says so", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    expect(play(engine, { untilMs: 3_000 }, drive(90))).toEqual([]);
    expect(engine.idle).toEqual([{ ruleId: rule.id, hindrance: "needs_ground_plane" }]);
  });

  it("leaves outlier steps out with their time", () => {
    const trail = [0, 1, 2, 30, 31, 32, 33].map((x, k) => ({ x, y: 0, atMs: k * 1_000 }));
    expect(robustMovement(trail)).toEqual({ vx: 1, vy: 0, seconds: 5 });
    expect(robustMovement(trail.slice(0, 3))).toBeNull();
  });
});

/** The car on its round through the square: it always covers the same, and is never slow. */
function driven(car: Track, { id, t }: { readonly id: number; readonly t: number }): Track {
  const round = Math.floor(t / 2_000);
  return {
    ...car,
    id: id + 10 * round,
    box: { ...car.box, x: car.box.x + ((t % 2_000) / 2_000) * 0.2 - 0.1 },
  };
}

describe("congestion", () => {
  const rule = ruleOf("congestion", { persistenceMs: 3_000, exitMs: 2_000, occupancyShare: 0.5 });
  /** Ground parts are the lower 0.6 of a car's box: each of these covers 0.225 of the square. */
  const cars = (count: number, shift = 0, fields: Partial<Track> = {}) =>
    Array.from({ length: count }, (_, k) =>
      trackAt(k + 1, 0, 0, {
        objectClass: "car",
        box: { x: 0.3 + 0.1 * k + shift, y: 0.1, w: 0.1, h: 0.6 },
        ...fields,
      }),
    );

  it("raises when slow objects cover enough of the polygon, once", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const outcomes = play(engine, { untilMs: 20_000 }, (t) => cars(3, 0.00001 * t));
    expect(outcomes).toMatchObject([{ type: "raised", trackIds: [1, 2, 3] }]);
  });

  it("is no congestion while as many cars drive", () => {
    const stream = (t: number) => cars(4, 0).map((car, k) => driven(car, { id: k + 1, t }));
    expect(play(new RuleEngine([rule], [SQUARE]), { untilMs: 20_000 }, stream)).toEqual([]);
  });

  it("counts an area once that two boxes cover", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const still = { stationarySinceMs: T0 };
    const same = () => [
      ...cars(2, 0, still),
      ...cars(2, 0.01, still).map((car) => ({ ...car, id: car.id + 10 })),
    ];
    expect(play(engine, { untilMs: 10_000 }, same)).toEqual([]);
  });

  it("holds at a share a little below the limit and clears well below it", () => {
    const engine = new RuleEngine([ruleOf("congestion", { ...rule, occupancyShare: 0.7 })], [SQUARE]);
    const still = { stationarySinceMs: T0 };
    const scene = (t: number) =>
      t < 5_000 ? cars(4, 0, still) : t < 20_000 ? cars(3, -0.01, still) : cars(2, 0, still);
    const outcomes = play(engine, { untilMs: 30_000 }, scene);
    expect(outcomes.map(({ type, capturedAtMs }) => [type, capturedAtMs - T0])).toEqual([
      ["raised", 3_000],
      ["cleared", 21_800],
    ]);
  });
});

describe("density_over", () => {
  /** The square is 40 m x 20 m: 800 m2. */
  const rule = ruleOf("density_over", { densityPerM2: 0.0101, persistenceMs: 1_000, exitMs: 1_000 });
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, k) => trackAt(k + 1, 0.31 + 0.03 * k, 0.5));

  it("raises above the density and not at it", () => {
    const engine = new RuleEngine([rule], [SQUARE], undefined, { groundPlane: FROM_ABOVE });
    expect(play(engine, { untilMs: 3_000 }, () => crowd(8))).toEqual([]);
    expect(typesOf([0, 1_000, 2_000].flatMap((t) => engine.update(crowd(9), T0 + 5_000 + t)))).toEqual([
      "raised",
    ]);
  });

  it("does nothing where the polygon reaches beyond the ground, and says so", () => {
    const road = new GroundPlane([
      { picture: { x: 0.2, y: 0.9 }, position: at(0, 0) },
      { picture: { x: 0.8, y: 0.9 }, position: at(10, 0) },
      { picture: { x: 0.55, y: 0.6 }, position: at(10, 40) },
      { picture: { x: 0.45, y: 0.6 }, position: at(0, 40) },
    ]);
    const engine = new RuleEngine([rule], [SQUARE], undefined, { groundPlane: road });
    expect(engine.idle).toEqual([{ ruleId: rule.id, hindrance: "zone_beyond_ground" }]);
    engine.replace([rule], [SQUARE], FROM_ABOVE);
    expect(engine.idle).toEqual([]);
    expect(typesOf(play(engine, { untilMs: 2_000 }, () => crowd(9)))).toEqual(["raised"]);
  });
});
