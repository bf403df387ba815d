import { ANALYTICS_STAGES, type AnalyticsStage, type StageTimes } from "@huishi/contracts";

/** Classes of times, each a quarter wider than the one before: from 10 µs to about 20 s. */
const SHORTEST_MS = 0.01;
const GROWTH = 1.25;
const CLASSES = 66;

interface Interval {
  readonly counts: Uint32Array;
  count: number;
  sumMs: number;
}

/**
 * Times of each stage over the last intervals: mean exactly, 95th percentile to a quarter of itself. Constant size,
 * however many frames.
 */
export class StageWindow {
  readonly #intervals: number;
  readonly #stages = new Map<AnalyticsStage, Interval[]>();

  /** @param intervals how many are told of together; `turn` begins the next one */
  constructor(intervals: number) {
    this.#intervals = intervals;
    for (const stage of ANALYTICS_STAGES) this.#stages.set(stage, [emptyInterval()]);
  }

  add(stage: AnalyticsStage, tookMs: number): void {
    const interval = this.#stages.get(stage)?.at(-1);
    if (interval === undefined || !(tookMs >= 0)) return;
    interval.count += 1;
    interval.sumMs += tookMs;
    interval.counts[classOf(tookMs)]! += 1;
  }

  /** Begins the next interval and forgets the oldest. */
  turn(): void {
    for (const intervals of this.#stages.values()) {
      intervals.push(emptyInterval());
      if (intervals.length > this.#intervals) intervals.shift();
    }
  }

  /** Stages in which anything was timed. */
  read(): StageTimes[] {
    return ANALYTICS_STAGES.flatMap((stage) => {
      const intervals = this.#stages.get(stage) ?? [];
      const count = intervals.reduce((sum, interval) => sum + interval.count, 0);
      if (count === 0) return [];
      const sumMs = intervals.reduce((sum, interval) => sum + interval.sumMs, 0);
      return [{ stage, count, meanMs: rounded(sumMs / count), p95Ms: rounded(quantileMs(intervals, count)) }];
    });
  }
}

function emptyInterval(): Interval {
  return { counts: new Uint32Array(CLASSES), count: 0, sumMs: 0 };
}

function classOf(tookMs: number): number {
  if (tookMs <= SHORTEST_MS) return 0;
  return Math.min(CLASSES - 1, Math.ceil(Math.log(tookMs / SHORTEST_MS) / Math.log(GROWTH)));
}

/** Upper bound of the class in which the 95th percentile lies. */
function quantileMs(intervals: readonly Interval[], count: number): number {
  let below = 0;
  for (let index = 0; index < CLASSES; index++) {
    for (const { counts } of intervals) below += counts[index]!;
    if (below >= 0.95 * count) return SHORTEST_MS * GROWTH ** index;
  }
  return SHORTEST_MS * GROWTH ** (CLASSES - 1);
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
