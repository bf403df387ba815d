import { assign } from "../domain/tracker/assignment.ts";
import type { ScoredSequence } from "./sequence.ts";

export interface ClearCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly misses: number;
  readonly idSwitches: number;
}

const THRESHOLD = 0.5;

/**
 * CLEAR MOT counts (Bernardin and Stiefelhagen 2008, §2.1): boxes correspond from IoU 0.5; a correspondence of the
 * frame before that still holds is kept; a switch is counted when an object comes back under another identity.
 */
export function clearCounts(sequence: ScoredSequence): ClearCounts {
  let truePositives = 0;
  let idSwitches = 0;
  const lastResult = new Int32Array(sequence.truthIds).fill(-1);
  let before = new Map<number, number>();
  for (const frame of sequence.frames) {
    const m = frame.result.length;
    const costs = frame.similarity.map((s, k) => {
      if (s < THRESHOLD - 1e-9) return 0;
      const kept = before.get(frame.truth[Math.floor(k / m)]!) === frame.result[k % m];
      return -(s + (kept ? 1000 : 0));
    });
    const now = new Map<number, number>();
    assign(costs, frame.truth.length, m, 0).forEach((j, i) => {
      if (j < 0) return;
      const truth = frame.truth[i]!;
      const result = frame.result[j]!;
      truePositives++;
      if (lastResult[truth] !== -1 && lastResult[truth] !== result) idSwitches++;
      lastResult[truth] = result;
      now.set(truth, result);
    });
    before = now;
  }
  return {
    truePositives,
    falsePositives: sequence.resultBoxes - truePositives,
    misses: sequence.truthBoxes - truePositives,
    idSwitches,
  };
}

/** MOTA = 1 - (misses + false positives + switches) / truth; null without ground truth. */
export function mota(parts: readonly ClearCounts[]): number | null {
  const truth = parts.reduce((sum, part) => sum + part.truePositives + part.misses, 0);
  const faults = parts.reduce((sum, part) => sum + part.misses + part.falsePositives + part.idSwitches, 0);
  return truth === 0 ? null : 1 - faults / truth;
}
