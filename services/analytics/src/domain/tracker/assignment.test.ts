import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign } from "./assignment.ts";

function total(costs: readonly number[][], picks: ArrayLike<number>, limit: number): number {
  return costs.reduce((sum, row, i) => sum + (picks[i]! < 0 ? limit : row[picks[i]!]!), 0);
}

function cheapest(costs: readonly number[][], limit: number, row = 0, taken = new Set<number>()): number {
  if (row === costs.length) return 0;
  let best = limit + cheapest(costs, limit, row + 1, taken);
  costs[row]!.forEach((cost, column) => {
    if (taken.has(column) || cost >= limit) return;
    best = Math.min(best, cost + cheapest(costs, limit, row + 1, new Set([...taken, column])));
  });
  return best;
}

const flat = (costs: readonly number[][]) => Float64Array.from(costs.flat());

describe("assign", () => {
  it("prefers the cheaper whole over the cheapest single pair", () => {
    const costs = [
      [1, 2],
      [1.5, 9],
    ];
    expect([...assign(flat(costs), 2, 2, 100)]).toEqual([1, 0]);
  });

  it("leaves a row alone rather than pay the limit", () => {
    expect([...assign(flat([[5], [Infinity]]), 2, 1, 5)]).toEqual([-1, -1]);
  });

  it("copes with no rows and with no columns", () => {
    expect([...assign(new Float64Array(0), 0, 3, 1)]).toEqual([]);
    expect([...assign(new Float64Array(0), 2, 0, 1)]).toEqual([-1, -1]);
  });

  it("is as cheap as exhaustive search on any small problem", () => {
    const problem = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: columns, maxLength: columns }), {
          minLength: rows,
          maxLength: rows,
        }),
      );
    fc.assert(
      fc.property(problem, (costs) => {
        const picks = assign(flat(costs), costs.length, costs[0]!.length, 9);
        const used = [...picks].filter((pick) => pick >= 0);
        expect(new Set(used).size).toBe(used.length);
        expect(total(costs, picks, 9)).toBe(cheapest(costs, 9));
      }),
    );
  });
});
