import { DWELL_BIN_COUNT } from "@huishi/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedBins, type DwellBins, dwellQuantileMs } from "./dwell.ts";

/** As the store does it (migration 0016). */
const binOf = (ms: number): number =>
  Math.min(DWELL_BIN_COUNT - 1, Math.floor(8 * Math.log2(Math.max(ms, 250) / 250)));

function binned(lengths: readonly number[]): DwellBins {
  const bins = new Map<number, number>();
  for (const ms of lengths) bins.set(binOf(ms), (bins.get(binOf(ms)) ?? 0) + 1);
  return [...bins].toSorted(([a], [b]) => a - b);
}

describe("a quantile of stays", () => {
  it("lies within a bin's ratio of the true one, whatever the lengths beyond the first bin", () => {
    const lengths = fc.array(fc.integer({ min: 273, max: 86_400_000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(lengths, fc.constantFrom(0.5, 0.9, 0.95), (stays, fraction) => {
        const sorted = stays.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(fraction * sorted.length) - 1] as number;
        const ratio = dwellQuantileMs(binned(stays), fraction) / truth;
        expect(ratio).toBeGreaterThan(2 ** -0.126);
        expect(ratio).toBeLessThan(2 ** 0.126);
      }),
    );
  });

  it("rises with the fraction, and is 0 where nobody stayed", () => {
    const bins = binned([300, 900, 900, 5_000, 60_000]);
    const [p50, p90, p95] = [0.5, 0.9, 0.95].map((fraction) => dwellQuantileMs(bins, fraction)) as number[];
    expect(p50).toBeLessThan(p90 as number);
    expect(p90).toBeLessThan(p95 as number);
    expect(dwellQuantileMs([], 0.5)).toBe(0);
    expect(dwellQuantileMs([[0, 10]], 0.5)).toBeGreaterThan(0);
  });
});

describe("bins", () => {
  it("touch each other, begin at nothing and end nowhere", () => {
    const all = boundedBins(Array.from({ length: DWELL_BIN_COUNT }, (_, bin) => [bin, 1] as const));
    expect(all[0]?.fromMs).toBe(0);
    expect(all.at(-1)?.toMs).toBeNull();
    for (const [index, { toMs }] of all.slice(0, -1).entries()) expect(all[index + 1]?.fromMs).toBe(toMs);
    // The longest bin begins beyond ten days.
    expect(all.at(-1)?.fromMs).toBeGreaterThan(2 * 86_400_000);
  });
});
