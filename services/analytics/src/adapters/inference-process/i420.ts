import type { RgbFrame } from "../../application/detector.ts";

/** An I420 picture as RGB triples (ITU-R BT.601, limited range): for pictures that somebody will look at, now and then. */
export function rgbOf({ data, width, height }: RgbFrame): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray(width * height * 3);
  const half = width >> 1;
  for (let row = 0, out = 0; row < height; row++) {
    const uRow = width * height + (row >> 1) * half;
    const vRow = uRow + half * (height >> 1);
    for (let x = 0; x < width; x++, out += 3) {
      const luma = 1.164383 * (data[row * width + x]! - 16);
      const u = data[uRow + (x >> 1)]! - 128;
      const v = data[vRow + (x >> 1)]! - 128;
      rgb[out] = luma + 1.596027 * v;
      rgb[out + 1] = luma - 0.391762 * u - 0.812968 * v;
      rgb[out + 2] = luma + 2.017232 * u;
    }
  }
  return rgb;
}
