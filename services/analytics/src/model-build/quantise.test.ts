import * as fc from "fast-check";
import { expect, test } from "vitest";
import { activationScale, quantiseWeights } from "./quantise.ts";

const weight = fc.float({ min: -8, max: 8, noNaN: true });

test("zero is exact in every activation range, and the range's ends are within a step", () => {
  fc.assert(
    fc.property(fc.integer({ min: -10_000, max: 10_000 }), fc.nat(10_000), (minimum, width) => {
      const [min, max] = [minimum / 100, (minimum + width) / 100];
      const { scale, zeroPoint } = activationScale([min, max]);
      expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
      expect((0 - zeroPoint) * scale).toBeLessThanOrEqual(Math.min(min, 0) + scale);
      expect((255 - zeroPoint) * scale).toBeGreaterThanOrEqual(Math.max(max, 0) - scale);
    }),
  );
});

test("a ReLU6 output uses the whole byte from zero", () => {
  expect(activationScale([0, 6])).toEqual({ scale: Math.fround(6 / 255), zeroPoint: 0 });
});

test("a range without width is no division by zero", () => {
  expect(activationScale([0, 0])).toEqual({ scale: 1, zeroPoint: 0 });
});

test("each weight comes back within half a step of its own channel", () => {
  fc.assert(
    fc.property(
      fc.array(weight, { minLength: 6, maxLength: 6 }),
      fc.array(weight, { minLength: 2, maxLength: 2 }),
      (weights, bias) => {
        const quantised = quantiseWeights(Float32Array.from(weights), Float32Array.from(bias), 0.02);
        weights.forEach((value, i) => {
          const scale = quantised.scales[Math.floor(i / 3)] as number;
          expect(Math.abs((quantised.values[i] as number) * scale - value)).toBeLessThanOrEqual(
            scale * 0.501,
          );
        });
        bias.forEach((value, channel) => {
          const scale = quantised.biasScales[channel] as number;
          expect(Math.abs((quantised.bias[channel] as number) * scale - value)).toBeLessThanOrEqual(
            scale + Math.abs(value) * 1e-6,
          );
        });
      },
    ),
  );
});

test("a channel too faint for float32 scales is nothing", () => {
  const { values, scales, bias } = quantiseWeights(Float32Array.of(1e-40), Float32Array.of(-1.5e-38), 0.02);
  expect([values[0], scales[0], bias[0]]).toEqual([0, 1, 0]);
});

test("a dead channel keeps its bias: the scale does not overflow int32", () => {
  const { bias, biasScales } = quantiseWeights(Float32Array.of(1e-12, 0), Float32Array.of(3, -2), 0.02);
  expect((bias[0] as number) * (biasScales[0] as number)).toBeCloseTo(3, 4);
  expect((bias[1] as number) * (biasScales[1] as number)).toBeCloseTo(-2, 4);
});
