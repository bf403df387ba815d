import fc from "fast-check";
import { expect, it } from "vitest";
import { swayOf, unshifted } from "./camera-sway.ts";

const SIZE = { width: 96, height: 64 };

/** Houses of any brightness, shown so many pixels further right and down. */
function street(shiftX: number, shiftY: number, light = 0): Uint8Array {
  const picture = new Uint8Array(SIZE.width * SIZE.height);
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      const [column, row] = [Math.floor((x - shiftX + 40) / 17), Math.floor((y - shiftY + 40) / 15)];
      picture[y * SIZE.width + x] = 60 + light + ((column * 37 + row * 53) % 90);
    }
  }
  return picture;
}

it("finds by how much a picture moved, in any light, and takes it back", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -6, max: 6 }),
      fc.integer({ min: -6, max: 6 }),
      fc.integer({ min: 0, max: 30 }),
      (x, y, light) => {
        const background = Float32Array.from(street(0, 0));
        const moved = street(x, y, light);
        const sway = swayOf(moved, background, SIZE) ?? { x: 0, y: 0 };
        // The gate itself forgives a pixel.
        expect(Math.max(Math.abs(sway.x - x), Math.abs(sway.y - y))).toBeLessThanOrEqual(1);
        if (sway.x !== x || sway.y !== y) return;
        const back = unshifted(moved, sway, SIZE);
        for (let row = 8; row < SIZE.height - 8; row++)
          for (let column = 8; column < SIZE.width - 8; column++) {
            const at = row * SIZE.width + column;
            expect(back[at]).toBe(background[at]! + light);
          }
      },
    ),
    { numRuns: 60 },
  );
});

it("does not take something that moves for a picture that does", () => {
  const background = Float32Array.from(street(0, 0));
  const luma = street(0, 0);
  for (let y = 20; y < 50; y++) luma.fill(5, y * SIZE.width + 30, y * SIZE.width + 55);
  expect(swayOf(luma, background, SIZE)).toBeNull();
});
