import { describe, expect, it } from "vitest";
import type { MotRow } from "./mot-format.ts";
import { countSequence, scores } from "./scores.ts";

/** A box of 10x10 at x in each of the frames. */
function path(id: number, x: number, frames: readonly number[], confidence = 1): MotRow[] {
  return frames.map((frame) => ({ frame, id, x, y: 0, w: 10, h: 10, confidence }));
}

const of = (truth: MotRow[], result: MotRow[]) => scores([countSequence(truth, result)]);

describe("scores, against cases worked out by hand", () => {
  it("gives 1 to a perfect result", () => {
    const truth = [...path(1, 0, [1, 2, 3]), ...path(2, 50, [2, 3])];
    const perfect = { hota: 1, detA: 1, assA: 1, locA: 1, mota: 1, idf1: 1, idSwitches: 0 };
    const result = of(
      truth,
      truth.map((row) => ({ ...row, id: row.id + 70 })),
    );
    for (const [name, value] of Object.entries(perfect))
      expect(result).toHaveProperty(name, expect.closeTo(value));
  });

  it("halves the association of a trajectory cut in two", () => {
    const result = of(path(1, 0, [1, 2, 3, 4]), [...path(1, 0, [1, 2]), ...path(2, 0, [3, 4])]);
    expect(result.detA).toBeCloseTo(1);
    expect(result.assA).toBeCloseTo(0.5);
    expect(result.hota).toBeCloseTo(Math.sqrt(0.5));
    expect(result).toMatchObject({ mota: 0.75, idf1: 0.5, idSwitches: 1 });
  });

  it("counts a trajectory of which half is missed", () => {
    const result = of(path(1, 0, [1, 2, 3, 4]), path(9, 0, [1, 2]));
    expect(result.hota).toBeCloseTo(0.5);
    expect(result.mota).toBeCloseTo(0.5);
    expect(result.idf1).toBeCloseTo(2 / 3);
  });

  it("counts two identities that are exchanged halfway", () => {
    const truth = [...path(1, 0, [1, 2, 3, 4]), ...path(2, 50, [1, 2, 3, 4])];
    const swapped = [
      ...path(1, 0, [1, 2]),
      ...path(2, 50, [1, 2]),
      ...path(2, 0, [3, 4]),
      ...path(1, 50, [3, 4]),
    ];
    const result = of(truth, swapped);
    expect(result.assA).toBeCloseTo(1 / 3);
    expect(result).toMatchObject({ mota: 0.75, idf1: 0.5, idSwitches: 2 });
  });

  it("lets a false trajectory cost detection, not association", () => {
    const result = of(path(1, 0, [1, 2]), [...path(1, 0, [1, 2]), ...path(2, 70, [1, 2])]);
    expect(result.detA).toBeCloseTo(0.5);
    expect(result.assA).toBeCloseTo(1);
    expect(result).toMatchObject({ mota: 0, idf1: expect.closeTo(2 / 3) });
  });

  it("averages over localisation thresholds: an IoU of 1/3 passes six of nineteen", () => {
    const result = of(path(1, 0, [1]), path(1, 5, [1]));
    expect(result.hota).toBeCloseTo(6 / 19);
    expect(result.mota).toBe(-1);
  });

  it("does not score ground truth of confidence 0", () => {
    const result = of([...path(1, 0, [1, 2]), ...path(2, 50, [1, 2], 0)], path(1, 0, [1, 2]));
    expect(result.hota).toBeCloseTo(1);
  });

  it("adds the counts of sequences, not their scores", () => {
    const good = countSequence(path(1, 0, [1, 2, 3]), path(1, 0, [1, 2, 3]));
    const missed = countSequence(path(1, 0, [1]), []);
    const result = scores([good, missed]);
    expect(result.detA).toBeCloseTo(3 / 4);
    expect(result.assA).toBeCloseTo(1);
    expect(result.mota).toBeCloseTo(3 / 4);
  });

  it("says null, not 0, where there is nothing to score", () => {
    expect(of([], [])).toMatchObject({ mota: null, idf1: null, hota: 0 });
  });
});
