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
  const frame = frameOf(64, 48, (x, y) => [x * 4, y * 5, 7]);
  const size = 16;
  const target = new Uint8Array(size * size * 3);
  new RegionResizer(size).resize(frame, { kind: "whole", x: 0, y: 0, w: 64, h: 48 }, target);
  for (let i = 0; i < size; i++) {
    expect(Math.abs((target[i * 3] as number) - ((i + 0.5) * 4 - 0.5) * 4)).toBeLessThanOrEqual(1);
    expect(Math.abs((target[i * size * 3 + 1] as number) - ((i + 0.5) * 3 - 0.5) * 5)).toBeLessThanOrEqual(1);
  }
});

test("a wide or high picture keeps its shape, framed in grey, and it is said where it is", () => {
  const wide = frameOf(64, 32, () => [200, 100, 50]);
  const size = 16;
  const target = new Uint8Array(size * size * 3);
  const placement = new RegionResizer(size).resize(wide, { kind: "whole", x: 0, y: 0, w: 64, h: 32 }, target);
  expect(placement).toEqual({ x: 0, y: 0.25, w: 1, h: 0.5 });
  const rows = Array.from({ length: size }, (_, row) => target[row * size * 3]);
  expect(rows).toEqual([
    ...Array<number>(4).fill(127),
    ...Array<number>(8).fill(200),
    ...Array<number>(4).fill(127),
  ]);
  const high = frameOf(10, 40, () => [200, 100, 50]);
  const upright = new RegionResizer(size).resize(high, { kind: "crop", x: 0, y: 0, w: 10, h: 40 }, target);
  expect(upright).toEqual({ x: 6 / 16, y: 0, w: 4 / 16, h: 1 });
  expect(target.subarray(0, 8 * 3)).toEqual(
    Uint8Array.from([...Array<number>(18).fill(127), 200, 100, 50, 200, 100, 50]),
  );
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
      const isGrey = (i: number): boolean =>
        target.subarray(i - (i % 3), i - (i % 3) + 3).every((v) => v === 127);
      expect(target.every((value, i) => value === [200, 100, 50][i % 3] || isGrey(i))).toBe(true);
      expect(target.some((value) => value === 200)).toBe(true);
    }),
  );
});
