import fc from "fast-check";
import { expect, test } from "vitest";
import { GopCache } from "./gop-cache.ts";

const unit = (keyframe: boolean, bytes: number) => ({ keyframe, annexB: new Uint8Array(bytes) });

test("the cache begins with a keyframe, holds all that followed, and stays within its bounds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 400 })), { maxLength: 60 }),
      (steps) => {
        const cache = new GopCache({ maxBytes: 1_000, maxUnits: 8 });
        const all = steps.map(([keyframe, bytes]) => unit(keyframe, bytes));
        for (const one of all) {
          cache.push(one);
          const held = cache.units;
          expect(cache.bytes).toBe(held.reduce((sum, { annexB }) => sum + annexB.byteLength, 0));
          expect(cache.bytes).toBeLessThanOrEqual(1_000);
          expect(held.length).toBeLessThanOrEqual(8);
          if (held.length === 0) continue;
          expect(held[0]?.keyframe).toBe(true);
          expect(held.at(-1)).toBe(one);
          const from = all.indexOf(held[0] as (typeof all)[number]);
          expect(held).toEqual(all.slice(from, from + held.length));
        }
      },
    ),
  );
});

test("a group beyond the bounds is given up until the next keyframe", () => {
  const cache = new GopCache({ maxBytes: 10, maxUnits: 100 });
  for (const one of [unit(true, 6), unit(false, 6), unit(false, 1)]) cache.push(one);
  expect(cache.units).toEqual([]);
  cache.push(unit(true, 6));
  expect(cache.units).toHaveLength(1);
});
