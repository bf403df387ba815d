import { assign } from "../domain/tracker/assignment.ts";
import type { ScoredSequence } from "./sequence.ts";

/** Localisation thresholds 0.05, 0.10, ..., 0.95. */
const ALPHAS: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) * 0.05);
const EPSILON = 1e-9;

/** Counts for each threshold, that add up over sequences (association weighted by true positives). */
export interface HotaCounts {
  readonly truePositives: Float64Array;
  readonly truthBoxes: number;
  readonly resultBoxes: number;
  /** Sum of A(c) over all true positives c. */
  readonly association: Float64Array;
  readonly localisation: Float64Array;
}

/** Means over the thresholds, 0..1. */
export interface Hota {
  readonly hota: number;
  readonly detA: number;
  readonly assA: number;
  readonly locA: number;
}

/** For each pair of identities, how well they fit over the whole sequence (the matching's first pass). */
function globalAlignment(sequence: ScoredSequence): {
  alignment: Float64Array;
  truth: Float64Array;
  result: Float64Array;
} {
  const columns = sequence.resultIds;
  const potential = new Float64Array(sequence.truthIds * columns);
  const truth = new Float64Array(sequence.truthIds);
  const result = new Float64Array(columns);
  for (const frame of sequence.frames) {
    const m = frame.result.length;
    const rowSum = new Float64Array(frame.truth.length);
    const columnSum = new Float64Array(m);
    frame.similarity.forEach((s, k) => {
      rowSum[Math.floor(k / m)]! += s;
      columnSum[k % m]! += s;
    });
    frame.similarity.forEach((s, k) => {
      const i = Math.floor(k / m);
      const union = rowSum[i]! + columnSum[k % m]! - s;
      if (union > EPSILON) potential[frame.truth[i]! * columns + frame.result[k % m]!]! += s / union;
    });
    for (const id of frame.truth) truth[id]!++;
    for (const id of frame.result) result[id]!++;
  }
  const alignment = potential.map((p, k) => p / (truth[Math.floor(k / columns)]! + result[k % columns]! - p));
  return { alignment, truth, result };
}

/**
 * HOTA's counts for one sequence (Luiten et al. 2021, "HOTA: A Higher Order Metric for Evaluating Multi-Object
 * Tracking", §5 and §9; the matching maximises global alignment times similarity, as their kit does).
 */
export function hotaCounts(sequence: ScoredSequence): HotaCounts {
  const { alignment, truth, result } = globalAlignment(sequence);
  const columns = sequence.resultIds;
  const truePositives = new Float64Array(ALPHAS.length);
  const association = new Float64Array(ALPHAS.length);
  const localisation = new Float64Array(ALPHAS.length);
  const pairs: Map<number, number>[] = ALPHAS.map(() => new Map());
  for (const frame of sequence.frames) {
    const m = frame.result.length;
    const costs = frame.similarity.map((s, k) => {
      const pair = frame.truth[Math.floor(k / m)]! * columns + frame.result[k % m]!;
      return s > 0 ? -(alignment[pair]! * s) : 0;
    });
    const picks = assign(costs, frame.truth.length, m, 0);
    picks.forEach((j, i) => {
      if (j < 0) return;
      const s = frame.similarity[i * m + j]!;
      const pair = frame.truth[i]! * columns + frame.result[j]!;
      ALPHAS.forEach((alpha, a) => {
        if (s < alpha - EPSILON) return;
        truePositives[a]!++;
        localisation[a]! += s;
        pairs[a]!.set(pair, (pairs[a]!.get(pair) ?? 0) + 1);
      });
    });
  }
  pairs.forEach((counts, a) => {
    for (const [pair, matches] of counts) {
      const union = truth[Math.floor(pair / columns)]! + result[pair % columns]! - matches;
      association[a]! += (matches * matches) / union;
    }
  });
  return {
    truePositives,
    association,
    localisation,
    truthBoxes: sequence.truthBoxes,
    resultBoxes: sequence.resultBoxes,
  };
}

/** HOTA over one sequence or over several together. */
export function hota(parts: readonly HotaCounts[]): Hota {
  const sum = (pick: (part: HotaCounts) => number) => parts.reduce((total, part) => total + pick(part), 0);
  const boxes = sum((part) => part.truthBoxes + part.resultBoxes);
  const per = ALPHAS.map((_, a) => {
    const tp = sum((part) => part.truePositives[a]!);
    const detA = boxes - tp > 0 ? tp / (boxes - tp) : 0;
    const assA = tp > 0 ? sum((part) => part.association[a]!) / tp : 0;
    const locA = tp > 0 ? sum((part) => part.localisation[a]!) / tp : 1;
    return { hota: Math.sqrt(detA * assA), detA, assA, locA };
  });
  const mean = (pick: (one: Hota) => number) => per.reduce((total, one) => total + pick(one), 0) / per.length;
  return {
    hota: mean((one) => one.hota),
    detA: mean((one) => one.detA),
    assA: mean((one) => one.assA),
    locA: mean((one) => one.locA),
  };
}
