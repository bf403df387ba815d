import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Canvas } from "./canvas.ts";
import { drawClockBarcode, readClockBarcode } from "./clock-barcode.ts";
import { drawClockBackground, drawClockPicture } from "./clock-picture.ts";

const epoch = fc.integer({ min: 0, max: 2 ** 48 - 1 });

function draw(width: number, height: number, epochMs: number): Uint8Array {
  const luma = new Uint8Array(width * height).fill(90);
  drawClockBarcode(luma, width, height, epochMs);
  return luma;
}

/** Nearest-neighbour scaling, as a canvas without smoothing does it. */
function scale(
  luma: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const out = new Uint8Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    for (let x = 0; x < toWidth; x++) {
      out[y * toWidth + x] =
        luma[Math.floor((y * height) / toHeight) * width + Math.floor((x * width) / toWidth)] ?? 0;
    }
  }
  return out;
}

describe("the clock's barcode", () => {
  it("gives back any 48-bit time at any usual size", () => {
    fc.assert(
      fc.property(
        epoch,
        fc.constantFrom([640, 360], [1280, 720], [320, 180], [322, 182], [64, 36]),
        (epochMs, [width, height]) => {
          expect(
            readClockBarcode(
              draw(width as number, height as number, epochMs),
              width as number,
              height as number,
            ),
          ).toBe(epochMs);
        },
      ),
    );
  });

  it("survives scaling down and up, noise, and reading from RGBA", () => {
    fc.assert(
      fc.property(
        epoch,
        fc.constantFrom([320, 180], [853, 480], [1920, 1080]),
        fc.infiniteStream(fc.integer({ min: -70, max: 70 })),
        (epochMs, [width, height], noise) => {
          const scaled = scale(draw(640, 360, epochMs), 640, 360, width as number, height as number);
          const values = noise.take(97);
          const jitter = [...values];
          const rgba = new Uint8ClampedArray(scaled.length * 4);
          scaled.forEach((value, index) =>
            rgba.fill(value + (jitter[index % jitter.length] as number), index * 4, index * 4 + 3),
          );
          expect(readClockBarcode(rgba, width as number, height as number)).toBe(epochMs);
        },
      ),
      { numRuns: 10 },
    );
  });

  it("is not seen in black, white, grey or bar pictures, nor in a cut array", () => {
    for (const value of [0, 16, 128, 235, 255])
      expect(readClockBarcode(new Uint8Array(640 * 360).fill(value), 640, 360)).toBeUndefined();
    expect(readClockBarcode(draw(640, 360, 1).subarray(0, 1000), 640, 360)).toBeUndefined();
    expect(readClockBarcode([], 0, 0)).toBeUndefined();
  });

  it("rejects a picture with one wrong cell", () => {
    const luma = draw(640, 360, 1_790_000_000_000);
    for (let y = 0; y < 30; y++)
      luma.fill((luma[y * 640 + 410] as number) > 128 ? 16 : 235, y * 640 + 400, y * 640 + 420);
    expect(readClockBarcode(luma, 640, 360)).toBeUndefined();
  });

  it("is drawn into the clock picture", () => {
    const canvas = new Canvas(640, 360);
    drawClockPicture(canvas, drawClockBackground(640, 360), 1_790_000_000_123);
    expect(readClockBarcode(canvas.bytes, 640, 360)).toBe(1_790_000_000_123);
  });
});
