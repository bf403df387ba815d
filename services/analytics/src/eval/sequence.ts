import type { MotRow } from "./mot-format.ts";

/** One frame in which both sides are dense indices, with the IoU of every pair (row-major, truth x result). */
interface ScoredFrame {
  readonly truth: readonly number[];
  readonly result: readonly number[];
  readonly similarity: Float64Array;
}

/** Ground truth and result of one sequence, prepared for scoring. */
export interface ScoredSequence {
  readonly frames: readonly ScoredFrame[];
  readonly truthIds: number;
  readonly resultIds: number;
  /** Boxes in all frames. */
  readonly truthBoxes: number;
  readonly resultBoxes: number;
}

function iouOf(a: MotRow, b: MotRow): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (a.w * a.h + b.w * b.h - w * h);
}

export function byFrame(rows: readonly MotRow[]): Map<number, MotRow[]> {
  const frames = new Map<number, MotRow[]>();
  for (const row of rows) {
    const frame = frames.get(row.frame);
    if (frame === undefined) frames.set(row.frame, [row]);
    else frame.push(row);
  }
  return frames;
}

function denseIndex(rows: readonly MotRow[]): Map<number, number> {
  const index = new Map<number, number>();
  for (const row of rows) if (!index.has(row.id)) index.set(row.id, index.size);
  return index;
}

/** Pairs up both files frame by frame. Ground truth of confidence 0 is not scored, as in the MOTChallenge kit. */
export function scoredSequence(truthRows: readonly MotRow[], result: readonly MotRow[]): ScoredSequence {
  const truth = truthRows.filter((row) => row.confidence !== 0);
  const truthIndex = denseIndex(truth);
  const resultIndex = denseIndex(result);
  const truthFrames = byFrame(truth);
  const resultFrames = byFrame(result);
  const numbers = [...new Set([...truthFrames.keys(), ...resultFrames.keys()])].sort((a, b) => a - b);
  const frames = numbers.map((number): ScoredFrame => {
    const left = truthFrames.get(number) ?? [];
    const right = resultFrames.get(number) ?? [];
    const similarity = new Float64Array(left.length * right.length);
    left.forEach((a, i) => right.forEach((b, j) => (similarity[i * right.length + j] = iouOf(a, b))));
    return {
      truth: left.map((row) => truthIndex.get(row.id)!),
      result: right.map((row) => resultIndex.get(row.id)!),
      similarity,
    };
  });
  return {
    frames,
    truthIds: truthIndex.size,
    resultIds: resultIndex.size,
    truthBoxes: truth.length,
    resultBoxes: result.length,
  };
}
