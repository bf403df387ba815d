import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteSlab } from "./byte-slab.ts";

test("arrays of a slab never overlap", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 30 }), (sizes) => {
      const slab = new ByteSlab();
      const arrays = sizes.map((size, i) => slab.allocate(size).fill(i));
      arrays.forEach((array, i) => {
        expect(array.length).toBe(sizes[i]);
        expect(array[0]).toBe(i);
        expect(array.at(-1)).toBe(i);
      });
    }),
    { numRuns: 30 },
  );
});
