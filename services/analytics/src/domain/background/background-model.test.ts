import type { Box } from "@huishi/kernel";
import { describe, expect, it } from "vitest";
import { trackAt } from "../test-support/rules.ts";
import type { Track } from "../tracker/track.ts";
import { BackgroundModel } from "./background-model.ts";
import type { StaticRegion } from "./static-region.ts";

const WIDTH = 160;
const HEIGHT = 90;
const T0 = 1_700_000_000_000;
const WHOLE = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
];

/** Small, repeatable noise of -2..2. */
const noise = (i: number, t: number) => (((i * 7919 + t * 104_729) >>> 3) % 5) - 2;

/** Cobbles: a ground with some texture, a wall above it. */
function ground(x: number, y: number): number {
  if (y < 30) return 150 + (x % 20 === 0 ? -25 : 0);
  return 100 + 12 * Math.sin(x / 3) * Math.cos(y / 2);
}

interface Thing {
  readonly box: Box;
  readonly level: number;
}
const BAG: Thing = { box: { x: 0.5, y: 0.6, w: 0.08, h: 0.12 }, level: 30 };

interface Scene {
  readonly things?: readonly Thing[];
  /** Changes the light of the whole picture. */
  readonly light?: (level: number) => number;
  readonly tracks?: readonly Track[];
  readonly shift?: number;
  /** Half the light falls there. */
  readonly shadow?: Box;
}

const isIn = (box: Box, x: number, y: number) =>
  x >= box.x * WIDTH && x < (box.x + box.w) * WIDTH && y >= box.y * HEIGHT && y < (box.y + box.h) * HEIGHT;

function draw({ things = [], light = (level) => level, shift = 0, shadow }: Scene, t: number): Uint8Array {
  const luma = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0, i = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, i++) {
      const thing = things.findLast(({ box }) => isIn(box, x, y));
      const shade = shadow && isIn(shadow, x, y) ? 0.6 : 1;
      const level = light((thing?.level ?? ground(x + shift, y)) * shade) + noise(i, t);
      luma[i] = Math.max(0, Math.min(255, level));
    }
  }
  return luma;
}

interface Look {
  readonly t: number;
  readonly regions: readonly StaticRegion[];
}

function play(untilMs: number, scene: (t: number) => Scene, absorbMs = 3_600_000, stepMs = 500): Look[] {
  const model = new BackgroundModel({ width: WIDTH, height: HEIGHT, watch: { polygons: [WHOLE], absorbMs } });
  const looks: Look[] = [];
  for (let t = 0; t <= untilMs; t += stepMs) {
    const now = scene(t);
    looks.push({ t, regions: model.update(draw(now, t), T0 + t, now.tracks ?? []) });
  }
  return looks;
}

const at = (looks: readonly Look[], t: number) => looks.find((look) => look.t >= t)!.regions;
const kinds = (looks: readonly Look[]) => [
  ...new Set(looks.flatMap(({ regions }) => regions.map(({ kind }) => kind))),
];

/** A person who stands with the feet at (x, y), as a picture and as a track. */
function person(x: number, y: number, fields: Partial<Track> = {}): { thing: Thing; track: Track } {
  const box = { x: x - 0.03, y: y - 0.3, w: 0.06, h: 0.3 };
  return { thing: { box, level: 220 }, track: trackAt(9, x, y, { box, ...fields }) };
}

describe("BackgroundModel", () => {
  it("reports what was put down, where it is and since when, and not for longer than it is there", () => {
    const looks = play(60_000, (t) => ({ things: t >= 20_000 && t < 40_000 ? [BAG] : [] }));
    expect(at(looks, 19_500)).toEqual([]);
    const [region] = at(looks, 30_000);
    expect(region).toMatchObject({ kind: "appeared", id: 1 });
    expect(region!.score).toBeGreaterThan(0.4);
    expect(Math.abs(region!.sinceMs - T0 - 20_000)).toBeLessThan(1_500);
    expect(region!.box.x).toBeCloseTo(0.5, 1);
    expect(region!.box.w).toBeCloseTo(0.08, 1);
    expect(at(looks, 43_000)).toEqual([]);
    expect(kinds(looks)).toEqual(["appeared"]);
  });

  it("reports what was taken away as vanished", () => {
    const looks = play(60_000, (t) => ({ things: t < 20_000 ? [BAG] : [] }));
    expect(at(looks, 35_000)).toMatchObject([{ kind: "vanished" }]);
    expect(at(looks, 35_000)[0]!.score).toBeGreaterThan(0.4);
    expect(kinds(looks)).toEqual(["vanished"]);
  });

  it("tells them apart for bright things, and for things on a seam of the background", () => {
    const bright = { box: { x: 0.2, y: 0.28, w: 0.1, h: 0.15 }, level: 235 };
    expect(kinds(play(40_000, (t) => ({ things: t >= 15_000 ? [bright] : [] })))).toEqual(["appeared"]);
    expect(kinds(play(40_000, (t) => ({ things: t < 15_000 ? [bright] : [] })))).toEqual(["vanished"]);
  });

  it("says nothing of an empty scene with noise, nor of who walks through", () => {
    const looks = play(120_000, (t) => {
      const walker = person((t % 20_000) / 20_000, 0.9);
      return { things: [walker.thing] };
    });
    expect(kinds(looks)).toEqual([]);
  });

  it("says nothing of a person who stands still and is followed, and learns nothing from him", () => {
    const { thing, track } = person(0.5, 0.9, { stationarySinceMs: T0 });
    const looks = play(120_000, (t) =>
      t > 20_000 && t < 100_000 ? { things: [thing], tracks: [track] } : {},
    );
    expect(kinds(looks)).toEqual([]);
  });

  it("keeps what was put down while a person stands in front of it", () => {
    const { thing, track } = person(0.53, 0.95, { stationarySinceMs: T0 });
    const looks = play(120_000, (t) => {
      if (t < 20_000) return {};
      return t > 40_000 && t < 100_000 ? { things: [BAG, thing], tracks: [track] } : { things: [BAG] };
    });
    expect(looks.filter(({ t }) => t > 30_000).every(({ regions }) => regions[0]?.id === 1)).toBe(true);
    expect(kinds(looks)).toEqual(["appeared"]);
  });

  it("bridges a passer-by who is not followed", () => {
    const looks = play(80_000, (t) => {
      const walker = person((t - 40_000) / 8_000, 0.9);
      return { things: [...(t >= 20_000 ? [BAG] : []), ...(t > 40_000 && t < 48_000 ? [walker.thing] : [])] };
    });
    expect(
      new Set(looks.filter(({ t }) => t > 30_000).flatMap(({ regions }) => regions.map(({ id }) => id))),
    ).toEqual(new Set([1]));
    expect(at(looks, 52_000)).toHaveLength(1);
  });

  it("survives steps of the light, before and while something stands there", () => {
    const dark = (level: number) => level * 0.55;
    const infrared = (level: number) => 40 + level * 0.7;
    const empty = play(90_000, (t) =>
      t > 30_000 && t < 60_000 ? { light: dark } : t >= 60_000 ? { light: infrared } : {},
    );
    expect(kinds(empty)).toEqual([]);
    const looks = play(90_000, (t) => ({
      things: t >= 15_000 ? [BAG] : [],
      ...(t > 40_000 && { light: t > 65_000 ? infrared : dark }),
    }));
    expect(
      looks
        .filter(({ t }) => t > 25_000)
        .every(({ regions }) => regions[0]?.id === 1 && regions.length === 1),
    ).toBe(true);
  });

  it("takes a shadow on a textured ground for light, not for a thing", () => {
    const looks = play(60_000, (t) => {
      const box = { x: 0.3, y: 0.5, w: 0.3, h: 0.3 };
      return t < 20_000 ? {} : { shadow: box };
    });
    expect(kinds(looks)).toEqual([]);
  });

  it("takes no moved seam for a thing when the camera shakes by a pixel", () => {
    expect(kinds(play(60_000, (t) => ({ shift: t > 20_000 ? 1 : 0 })))).toEqual([]);
  });

  it("does not report a parked car that the tracker has lost from its eyes", () => {
    const car = { box: { x: 0.3, y: 0.5, w: 0.2, h: 0.25 }, level: 200 };
    const track = trackAt(4, 0, 0, { box: car.box, objectClass: "car", stationarySinceMs: T0 + 22_000 });
    const looks = play(90_000, (t) => {
      if (t < 20_000) return {};
      return { things: [car], tracks: t < 50_000 ? [track] : [] };
    });
    expect(kinds(looks)).toEqual([]);
  });

  it("reports no ghost of somebody who stood there from the start and was followed", () => {
    const { thing, track } = person(0.5, 0.9, { stationarySinceMs: T0 });
    const looks = play(60_000, (t) => (t < 20_000 ? { things: [thing], tracks: [track] } : {}));
    expect(kinds(looks)).toEqual([]);
  });

  it("takes into the background what has stood for long enough", () => {
    const looks = play(60_000, (t) => ({ things: t >= 15_000 ? [BAG] : [] }), 20_000);
    expect(at(looks, 30_000)).toHaveLength(1);
    expect(looks.filter(({ t }) => t > 38_000).every(({ regions }) => regions.length === 0)).toBe(true);
  });

  it("works on keyframes, a picture every two seconds", () => {
    const looks = play(90_000, (t) => ({ things: t >= 30_000 ? [BAG] : [] }), 3_600_000, 2_000);
    expect(at(looks, 50_000)).toMatchObject([{ kind: "appeared" }]);
  });

  it("begins anew when the clock is set back", () => {
    const model = new BackgroundModel({
      width: WIDTH,
      height: HEIGHT,
      watch: { polygons: [WHOLE], absorbMs: 1e9 },
    });
    for (let t = 0; t < 30_000; t += 500)
      model.update(draw({ things: t > 15_000 ? [BAG] : [] }, t), T0 + t, []);
    expect(model.update(draw({ things: [BAG] }, 0), T0 - 3_600_000, [])).toEqual([]);
  });
});
