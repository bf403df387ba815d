import { assign } from "../domain/tracker/assignment.ts";
import type { ScoredSequence } from "./sequence.ts";

export interface IdentityCounts {
  readonly idTruePositives: number;
  readonly truthBoxes: number;
  readonly resultBoxes: number;
}

const THRESHOLD = 0.5;

/** Identity counts (Ristani et al. 2016, §3): the one-to-one mapping of whole trajectories that shares most boxes. */
export function identityCounts(sequence: ScoredSequence): IdentityCounts {
  const columns = sequence.resultIds;
  const shared = new Float64Array(sequence.truthIds * columns);
  for (const frame of sequence.frames) {
    const m = frame.result.length;
    frame.similarity.forEach((s, k) => {
      if (s < THRESHOLD - 1e-9) return;
      shared[frame.truth[Math.floor(k / m)]! * columns + frame.result[k % m]!]!++;
    });
  }
  const picks = assign(
    shared.map((count) => -count),
    sequence.truthIds,
    columns,
    0,
  );
  let idTruePositives = 0;
  picks.forEach((j, i) => {
    if (j >= 0) idTruePositives += shared[i * columns + j]!;
  });
  return { idTruePositives, truthBoxes: sequence.truthBoxes, resultBoxes: sequence.resultBoxes };
}

/** IDF1 = 2 IDTP / (truth + result); null when both are empty. */
export function idf1(parts: readonly IdentityCounts[]): number | null {
  const boxes = parts.reduce((sum, part) => sum + part.truthBoxes + part.resultBoxes, 0);
  return boxes === 0 ? null : (2 * parts.reduce((sum, part) => sum + part.idTruePositives, 0)) / boxes;
}
