import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countDiffering, halveLuma } from "./picture-kernels.ts";
import { SOURCE_SHA256 } from "./picture-wasm.ts";

const noise = (length: number, seed: number): Uint8Array => {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 48271) >>> 0) % 0x7fffffff;
    return state & 255;
  });
};
const size = fc.record({
  width: fc.integer({ min: 3, max: 70 }),
  height: fc.integer({ min: 3, max: 40 }),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
});

/** The same in plain words: a pixel differs when it fits neither its place nor those one or two beside it. */
function counted(
  luma: Uint8Array,
  width: number,
  height: number,
  { map, lowest, highest }: Parameters<typeof countDiffering>[1],
): number[] {
  const counts = Array.from({ length: ((width + 7) >> 3) * ((height + 7) >> 3) }, () => 0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = map[luma[y * width + x]!]!;
      const own = y * width + x;
      if (value >= lowest[own]! && value <= highest[own]!) continue;
      const beside: number[] = [];
      for (let step = -2; step <= 2; step++) {
        if (x + step >= 0 && x + step < width) beside.push(own + step);
        if (y + step >= 0 && y + step < height) beside.push(own + step * width);
      }
      const low = Math.min(...beside.map((at) => lowest[at]!));
      const high = Math.max(...beside.map((at) => highest[at]!));
      if (value < low || value > high) counts[(y >> 3) * ((width + 7) >> 3) + (x >> 3)]! += 1;
    }
  }
  return counts;
}

describe("kernels", () => {
  it("are compiled from the source as it stands (else: npm run build:kernels -w @huishi/analytics)", () => {
    const source = readFileSync(new URL("../../../kernels/picture.as", import.meta.url));
    expect(createHash("sha256").update(source).digest("hex")).toBe(SOURCE_SHA256);
  });

  it("count differing pixels as the definition does, whatever the size", () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 120 }), ({ width, height, seed }, range) => {
        const luma = noise(width * height, seed);
        const middle = noise(width * height, seed + 7);
        const background = {
          map: Uint8Array.from({ length: 256 }, (_, level) => Math.min(255, level + (seed % 20))),
          lowest: Uint8ClampedArray.from(middle, (level) => level - range),
          highest: Uint8ClampedArray.from(middle, (level) => level + range),
        };
        const counts = new Uint8Array(((width + 7) >> 3) * ((height + 7) >> 3));
        countDiffering({ data: luma, width, height }, background, counts);
        expect([...counts]).toEqual(counted(luma, width, height, background));
      }),
    );
  });

  it("halve luma to its full range, pixel for pixel", () => {
    fc.assert(
      fc.property(size, ({ width, height, seed }) => {
        const stride = width * 2 + (seed % 2);
        const luma = noise(stride * (height * 2 + 1), seed);
        const small = { data: new Uint8Array(width * height), width, height };
        halveLuma(luma, stride, small);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const at = 2 * y * stride + 2 * x;
            const mean = (luma[at]! + luma[at + stride + 1]!) / 2;
            const wanted = Math.min(Math.max(((mean - 16) * 255) / 219, 0), 255);
            expect(Math.abs(small.data[y * width + x]! - wanted)).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});
