import { describe, expect, it } from "vitest";
import { appearanceDistance } from "../../domain/tracker/appearance.ts";
import { appearanceOf } from "./appearance.ts";

const WIDTH = 80;
const HEIGHT = 60;
type Rgb = readonly [number, number, number];

/** A grey frame with a person in it: a shirt over trousers. */
function picture(person: { x: number; y: number; shirt: Rgb; trousers: Rgb }, light = 1) {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(90 * light);
  for (let row = 0; row < 32; row++) {
    for (let column = 0; column < 12; column++) {
      const colour = row < 16 ? person.shirt : person.trousers;
      data.set(
        colour.map((value) => Math.min(255, value * light)),
        3 * ((person.y + row) * WIDTH + person.x + column),
      );
    }
  }
  return {
    frame: { data, width: WIDTH, height: HEIGHT },
    box: { x: person.x / WIDTH, y: person.y / HEIGHT, w: 12 / WIDTH, h: 32 / HEIGHT },
  };
}

const look = (...given: Parameters<typeof picture>) => {
  const { frame, box } = picture(...given);
  return appearanceOf(frame, box)!;
};

describe("appearanceOf", () => {
  const red: Rgb = [170, 50, 40];
  const blue: Rgb = [40, 60, 150];

  it("sums to 1 and is the same wherever the person stands", () => {
    const here = look({ x: 3, y: 5, shirt: red, trousers: blue });
    expect(here.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1);
    expect(appearanceDistance(here, look({ x: 50, y: 20, shirt: red, trousers: blue }))).toBeCloseTo(0);
  });

  it("tells shirt and trousers apart, and a little less light hardly from more", () => {
    const person = look({ x: 3, y: 5, shirt: red, trousers: blue });
    const upsideDown = look({ x: 3, y: 5, shirt: blue, trousers: red });
    const inShade = look({ x: 3, y: 5, shirt: red, trousers: blue }, 0.9);
    expect(appearanceDistance(person, upsideDown)).toBeGreaterThan(0.5);
    expect(appearanceDistance(person, inShade)).toBeLessThan(0.25);
  });

  it("says nothing of a box too small, and copes with one that reaches out of the picture", () => {
    const { frame } = picture({ x: 3, y: 5, shirt: red, trousers: blue });
    expect(appearanceOf(frame, { x: 0.1, y: 0.1, w: 0.05, h: 0.5 })).toBeNull();
    expect(appearanceOf(frame, { x: -0.2, y: 0.8, w: 0.4, h: 0.6 })).not.toBeNull();
  });
});
