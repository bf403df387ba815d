import { describe, expect, it } from "vitest";
import type { Region } from "../../domain/index.ts";
import type { RgbFrame } from "../detector.ts";
import { RegionResizer } from "./resize-region.ts";

const crop = (x: number, y: number, w: number, h: number): Region => ({ kind: "crop", x, y, w, h });

/** Luma and colours by place, in the picture's own pixels. */
function i420(
  width: number,
  height: number,
  at: {
    y: (x: number, y: number) => number;
    u?: (x: number, y: number) => number;
    v?: (x: number, y: number) => number;
  },
): RgbFrame {
  const data = new Uint8Array((width * height * 3) / 2);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = at.y(x, y);
  const [half, from] = [width / 2, width * height];
  for (let y = 0; y < height / 2; y++) {
    for (let x = 0; x < half; x++) {
      data[from + y * half + x] = at.u?.(x * 2, y * 2) ?? 128;
      data[from + half * (height / 2) + y * half + x] = at.v?.(x * 2, y * 2) ?? 128;
    }
  }
  return { data, width, height, layout: "i420" };
}

/** The same picture as RGB, converted pixel by pixel (ITU-R BT.601). */
function asRgb({ data, width, height }: RgbFrame): RgbFrame {
  const rgb = new Uint8ClampedArray(width * height * 3);
  const [half, from] = [width / 2, width * height];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = from + (y >> 1) * half + (x >> 1);
      const luma = 1.164 * (data[y * width + x]! - 16);
      const u = data[colour]! - 128;
      const v = data[colour + half * (height / 2)]! - 128;
      rgb.set([luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u], (y * width + x) * 3);
    }
  }
  return { data: new Uint8Array(rgb.buffer), width, height };
}

const smooth = i420(64, 48, {
  y: (x, y) => 40 + 2 * x + y,
  u: (x) => 90 + x,
  v: (_, y) => 100 + y,
});

describe("a region of an I420 picture", () => {
  it("shows black, white and grey as they are, also beyond the limited range", () => {
    const target = new Uint8Array(4 * 4 * 3);
    for (const [luma, shown] of [
      [16, 0],
      [235, 255],
      [0, 0],
      [255, 255],
      [126, 128],
    ] as const) {
      new RegionResizer(4).resize(i420(8, 8, { y: () => luma }), crop(0, 0, 8, 8), target);
      expect([...new Set(target)]).toEqual([shown]);
    }
  });

  it.each([
    ["enlarged", 40, crop(8, 8, 20, 20)],
    ["at its own size", 32, crop(4, 10, 32, 32)],
    ["shrunk", 20, crop(0, 0, 48, 48)],
    ["of odd sides at odd places", 33, crop(7, 5, 29, 31)],
    ["at the far corner", 30, crop(43, 27, 21, 21)],
    ["in shape, framed", 30, crop(0, 0, 64, 30)],
  ])("%s is what the same region of the RGB picture is", (_, size, region) => {
    const [yuv, rgb] = [new Uint8Array(size * size * 3), new Uint8Array(size * size * 3)];
    const resizer = new RegionResizer(size);
    expect(resizer.resize(smooth, region, yuv)).toEqual(resizer.resize(asRgb(smooth), region, rgb));
    const worst = Math.max(...yuv.map((value, index) => Math.abs(value - rgb[index]!)));
    expect(worst).toBeLessThanOrEqual(8);
  });

  it("takes nothing from outside the region", () => {
    const picture = i420(32, 32, { y: (x, y) => (x >= 8 && x < 24 && y >= 8 && y < 24 ? 100 : 235) });
    const target = new Uint8Array(20 * 20 * 3);
    new RegionResizer(20).resize(picture, crop(8, 8, 16, 16), target);
    expect(new Set(target).size).toBe(1);
  });
});
