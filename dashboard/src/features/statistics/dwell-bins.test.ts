import { dwellBinStartMs } from "@huishi/contracts";
import { expect, it } from "vitest";
import { quantilePlace, wideBins } from "./dwell-bins.ts";

const fine = (bin: number, visits: number) => ({
  fromMs: dwellBinStartMs(bin),
  toMs: bin === 159 ? null : dwellBinStartMs(bin + 1),
  visits,
});

it("four fine bins are one wide one, empty ones between are drawn too, none is lost", () => {
  const wide = wideBins([fine(0, 1), fine(3, 2), fine(4, 5), fine(13, 7)]);
  expect(wide.map(({ visits }) => visits)).toEqual([3, 5, 0, 7]);
  expect(wide[0]?.fromMs).toBe(0);
  expect(wide[2]?.toMs).toBe(wide[3]?.fromMs);
  expect(wideBins([fine(159, 1)])[0]?.toMs).toBeNull();
  expect(wideBins([])).toEqual([]);
});

it("a length lies between the bars that are shorter and those that are longer", () => {
  const wide = wideBins([fine(8, 1), fine(20, 1)]);
  for (const [index, bin] of wide.entries()) {
    expect(quantilePlace(wide, bin.fromMs * 1.001)).toBeCloseTo(index, 1);
  }
  expect(quantilePlace(wide, 1)).toBe(0);
  expect(quantilePlace(wide, 1e12)).toBe(wide.length);
});
