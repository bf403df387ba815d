import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RegionResizer } from "./resize-region.ts";

function frameOf(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly [number, number, number],
) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(pixel(x, y), (y * width + x) * 3);
  return { data, width, height };
}

test("a region of the target's size is copied as it is", () => {
  const frame = frameOf(6, 5, (x, y) => [x * 10, y * 10, x + y]);
  const target = new Uint8Array(3 * 3 * 3);
  new RegionResizer(3).resize(frame, { kind: "crop", x: 2, y: 1, w: 3, h: 3 }, target);
  expect([...target.subarray(0, 6)]).toEqual([20, 10, 3, 30, 10, 4]);
  expect([...target.subarray(24)]).toEqual([40, 30, 7]);
});

test("a ramp stays a ramp, in both directions", () => {
  const frame = frameOf(64, 32, (x, y) => [x * 4, y * 8, 7]);
  const size = 16;
  const target = new Uint8Array(size * size * 3);
  new RegionResizer(size).resize(frame, { kind: "whole", x: 0, y: 0, w: 64, h: 32 }, target);
  for (let i = 0; i < size; i++) {
    expect(Math.abs((target[i * 3] as number) - ((i + 0.5) * 4 - 0.5) * 4)).toBeLessThanOrEqual(1);
    expect(Math.abs((target[i * size * 3 + 1] as number) - ((i + 0.5) * 2 - 0.5) * 8)).toBeLessThanOrEqual(1);
  }
});

test("any region of a plain picture gives a plain picture: no pixel comes from outside", () => {
  const region = fc.tuple(fc.nat(19), fc.nat(9)).chain(([x, y]) =>
    fc.record({
      x: fc.constant(x),
      y: fc.constant(y),
      w: fc.integer({ min: 1, max: 20 - x }),
      h: fc.integer({ min: 1, max: 10 - y }),
    }),
  );
  fc.assert(
    fc.property(region, fc.integer({ min: 1, max: 40 }), (rect, size) => {
      const inside = (x: number, y: number): boolean =>
        x >= rect.x && x < rect.x + rect.w && y >= rect.y && y < rect.y + rect.h;
      const frame = frameOf(20, 10, (x, y) => (inside(x, y) ? [200, 100, 50] : [0, 255, 255]));
      const target = new Uint8Array(size * size * 3);
      new RegionResizer(size).resize(frame, { kind: "crop", ...rect }, target);
      expect(target.every((value, i) => value === [200, 100, 50][i % 3])).toBe(true);
    }),
  );
});
