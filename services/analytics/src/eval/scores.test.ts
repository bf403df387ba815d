import { describe, expect, it } from "vitest";
import type { MotRow } from "./mot-format.ts";
import { countSequence, scores } from "./scores.ts";

/** A box of 10x10 at x in each of the frames. */
function path(id: number, x: number, frames: readonly number[], confidence = 1): MotRow[] {
  return frames.map((frame) => ({ frame, id, x, y: 0, w: 10, h: 10, confidence }));
}

const of = (truth: MotRow[], result: MotRow[]) => scores([countSequence(truth, result)]);

/**
 * The terms, for the workings below. At each localisation threshold: TP pairs, FN, FP; DetA = TP / (TP + FN + FP);
 * A(c) = TPA / (TPA + FNA + FPA) over the trajectory pair of each TP c, where TPA + FNA is the truth trajectory's length
 * and TPA + FPA the result's; AssA = mean of A(c); HOTA = sqrt(DetA · AssA), mean over 19 thresholds.
 * MOTA = 1 - (FN + FP + switches) / truth. IDF1 = 2 IDTP / (truth + result) under the best mapping of whole identities.
 */
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

  it("identity switch: halves the association of a trajectory cut in two", () => {
    // TP 4, FN 0, FP 0: DetA 1. Each TP: TPA 2, FNA 2, FPA 0: A = 2/4. HOTA = sqrt(1 · 1/2).
    // One switch of 4: MOTA 3/4. The truth maps to either half: IDTP 2, IDF1 = 2·2 / (4 + 4).
    const result = of(path(1, 0, [1, 2, 3, 4]), [...path(1, 0, [1, 2]), ...path(2, 0, [3, 4])]);
    expect(result.detA).toBeCloseTo(1);
    expect(result.assA).toBeCloseTo(0.5);
    expect(result.hota).toBeCloseTo(Math.sqrt(0.5));
    expect(result).toMatchObject({ mota: 0.75, idf1: 0.5, idSwitches: 1 });
  });

  it("identity switch cut unevenly: the longer part weighs by its square", () => {
    // Parts of 3 and 1. A = 3/4 for three TPs, 1/4 for one: AssA = (3·3/4 + 1·1/4) / 4 = 10/16. IDF1 = 2·3 / 8.
    const result = of(path(1, 0, [1, 2, 3, 4]), [...path(1, 0, [1, 2, 3]), ...path(2, 0, [4])]);
    expect(result.assA).toBeCloseTo(10 / 16);
    expect(result.hota).toBeCloseTo(Math.sqrt(10 / 16));
    expect(result).toMatchObject({ mota: 0.75, idf1: 0.75, idSwitches: 1 });
  });

  it("fragmentation: a gap under one identity costs detection and association, but is no switch", () => {
    // Frames 1, 2, 5, 6 of 6: TP 4, FN 2: DetA 4/6. TPA 4, FNA 2: A = 4/6. HOTA = 4/6. MOTA = 1 - 2/6.
    // IDTP 4: IDF1 = 8 / (6 + 4).
    const result = of(path(1, 0, [1, 2, 3, 4, 5, 6]), path(1, 0, [1, 2, 5, 6]));
    expect(result.detA).toBeCloseTo(4 / 6);
    expect(result.assA).toBeCloseTo(4 / 6);
    expect(result.hota).toBeCloseTo(4 / 6);
    expect(result).toMatchObject({
      mota: expect.closeTo(4 / 6),
      idf1: expect.closeTo(0.8),
      idSwitches: 0,
    });
  });

  it("fragmentation under two identities: the return after the gap is a switch", () => {
    // As before, but frames 5, 6 under another identity. TPA 2, FNA 4, FPA 0: A = 2/6. HOTA = sqrt(4/6 · 2/6).
    // MOTA = 1 - (2 + 1)/6. IDTP 2: IDF1 = 4 / (6 + 4).
    const result = of(path(1, 0, [1, 2, 3, 4, 5, 6]), [...path(1, 0, [1, 2]), ...path(2, 0, [5, 6])]);
    expect(result.assA).toBeCloseTo(2 / 6);
    expect(result.hota).toBeCloseTo(Math.sqrt(8 / 36));
    expect(result).toMatchObject({ mota: expect.closeTo(0.5), idf1: expect.closeTo(0.4), idSwitches: 1 });
  });

  it("misses: counts a trajectory of which half is missed", () => {
    // TP 2, FN 2: DetA 1/2; TPA 2, FNA 2: A 1/2. HOTA 1/2, MOTA 1/2, IDF1 = 4/6.
    const result = of(path(1, 0, [1, 2, 3, 4]), path(9, 0, [1, 2]));
    expect(result.hota).toBeCloseTo(0.5);
    expect(result.mota).toBeCloseTo(0.5);
    expect(result.idf1).toBeCloseTo(2 / 3);
  });

  it("exchange: counts two identities that are exchanged halfway", () => {
    // TP 8. Each TP's pair: TPA 2, FNA 2, FPA 2: A = 2/6. Two switches of 8: MOTA 6/8. IDTP 2 + 2: IDF1 = 8/16.
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

  it("merge: one identity that follows two objects in turn", () => {
    // Objects of 2 frames each, one result of 4: TP 4, DetA 1. TPA 2, FNA 0, FPA 2: A = 2/4. No object changes its
    // identity: MOTA 1. The result maps to one object: IDTP 2, IDF1 = 4/8.
    const result = of(
      [...path(1, 0, [1, 2]), ...path(2, 50, [3, 4])],
      [...path(7, 0, [1, 2]), ...path(7, 50, [3, 4])],
    );
    expect(result.assA).toBeCloseTo(0.5);
    expect(result).toMatchObject({ mota: 1, idf1: 0.5, idSwitches: 0 });
  });

  it("false positives: a false trajectory costs detection, not association", () => {
    // TP 2, FP 2: DetA 1/2; A = 2/2. MOTA = 1 - 2/2. IDF1 = 4 / (2 + 4).
    const result = of(path(1, 0, [1, 2]), [...path(1, 0, [1, 2]), ...path(2, 70, [1, 2])]);
    expect(result.detA).toBeCloseTo(0.5);
    expect(result.assA).toBeCloseTo(1);
    expect(result).toMatchObject({ mota: 0, idf1: expect.closeTo(2 / 3) });
  });

  it("false positives of a true identity cost association too", () => {
    // The result goes on for 2 frames after the object left: TP 2, FP 2: DetA 1/2; TPA 2, FPA 2: A = 2/4. HOTA 1/2.
    const result = of(path(1, 0, [1, 2]), path(1, 0, [1, 2, 3, 4]));
    expect(result.hota).toBeCloseTo(0.5);
    expect(result).toMatchObject({ mota: 0, idf1: expect.closeTo(2 / 3) });
  });

  it("localisation: an IoU of 1/3 passes six of nineteen thresholds", () => {
    // Two boxes of 10x10 half over one another: 50 / 150. Thresholds .05 to .30. Below 0.5: FN 1 and FP 1: MOTA -1.
    const result = of(path(1, 0, [1]), path(1, 5, [1]));
    expect(result.hota).toBeCloseTo(6 / 19);
    expect(result.mota).toBe(-1);
  });

  it("MOTA keeps a correspondence that still holds, though another box now overlaps more", () => {
    // Frame 2: result 1 at x = 2 (IoU 80/120), result 2 right on the object. CLEAR stays with 1: no switch, FP 1.
    const result = of(path(1, 0, [1, 2]), [...path(1, 0, [1]), ...path(1, 2, [2]), ...path(2, 0, [2])]);
    expect(result).toMatchObject({ mota: 0.5, idSwitches: 0 });
  });

  it("does not score ground truth of confidence 0", () => {
    const result = of([...path(1, 0, [1, 2]), ...path(2, 50, [1, 2], 0)], path(1, 0, [1, 2]));
    expect(result.hota).toBeCloseTo(1);
  });

  it("adds the counts of sequences, not their scores", () => {
    // TP 3 of truth 3 and TP 0 of truth 1: DetA 3/4, MOTA 3/4, not the means of 1 and 0.
    const good = countSequence(path(1, 0, [1, 2, 3]), path(1, 0, [1, 2, 3]));
    const missed = countSequence(path(1, 0, [1]), []);
    const result = scores([good, missed]);
    expect(result.detA).toBeCloseTo(3 / 4);
    expect(result.assA).toBeCloseTo(1);
    expect(result.mota).toBeCloseTo(3 / 4);
  });

  it("empty prediction: everything is missed", () => {
    expect(of(path(1, 0, [1, 2]), [])).toMatchObject({ hota: 0, detA: 0, mota: 0, idf1: 0, idSwitches: 0 });
  });

  it("empty truth: there is nothing that MOTA could be a share of", () => {
    expect(of([], path(1, 0, [1, 2]))).toMatchObject({ hota: 0, mota: null, idf1: 0 });
  });

  it("says null, not 0, where there is nothing to score", () => {
    expect(of([], [])).toMatchObject({ mota: null, idf1: null, hota: 0 });
  });
});
