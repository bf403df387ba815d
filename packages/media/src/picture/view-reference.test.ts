import fc from "fast-check";
import { expect, test } from "vitest";
import { type LumaPicture, measurePicture } from "./measure.ts";
import { ViewReference } from "./view-reference.ts";

/** Rectangles of many greys: a scene with edges, another one for another seed. */
function scene(seed: number): LumaPicture {
  const [width, height] = [320, 180];
  const pixels = new Uint8Array(width * height).fill(90);
  let state = seed;
  const next = (below: number): number => (state = (state * 16_807) % 2_147_483_647) % below;
  for (let i = 0; i < 60; i++) {
    const [x, y, w, h, grey] = [next(width - 20), next(height - 20), 8 + next(50), 8 + next(40), next(256)];
    for (let row = y; row < Math.min(height, y + h); row++)
      pixels.fill(grey, row * width + x, row * width + Math.min(width, x + w));
  }
  return { width, height, pixels };
}

function learnt(seed: number, samples = 12): ViewReference {
  const reference = new ViewReference();
  for (let i = 0; i < samples; i++) reference.learn(measurePicture(scene(seed)), 0.01);
  return reference;
}

test("a view that was written down is the same view", () => {
  const reference = learnt(7);
  const read = ViewReference.fromBytes(reference.toBytes() as Uint8Array) as ViewReference;
  expect(read.samples).toBe(12);
  for (const seed of [7, 8]) {
    const measure = measurePicture(scene(seed));
    expect(read.compare(measure)).toEqual(reference.compare(measure));
  }
  expect(read.compare(measurePicture(scene(7)))?.kept).toBeGreaterThan(0.9);
  expect(read.compare(measurePicture(scene(8)))?.kept).toBeLessThan(0.3);
});

test("before anything was learnt there is nothing to write down", () => {
  expect(new ViewReference().toBytes()).toBeNull();
});

test("what is no view is none, whatever it is", () => {
  const good = learnt(3).toBytes() as Uint8Array;
  const read = (bytes: Uint8Array): void =>
    void ViewReference.fromBytes(bytes)?.compare(measurePicture(scene(3)));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read));
  fc.assert(
    fc.property(fc.nat(good.length), fc.uint8Array({ minLength: 1, maxLength: 16 }), (at, noise) => {
      const damaged = good.slice();
      damaged.set(noise.subarray(0, good.length - at), at);
      read(damaged);
      read(good.subarray(0, at));
    }),
    { numRuns: 50 },
  );
  const broken = good.slice();
  new DataView(broken.buffer).setFloat32(40, Number.NaN);
  expect(ViewReference.fromBytes(broken)).toBeNull();
  new DataView(broken.buffer).setUint32(0, 9);
  expect(ViewReference.fromBytes(broken)).toBeNull();
});
