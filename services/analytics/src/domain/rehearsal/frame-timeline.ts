import type { Sighting } from "./sighting.ts";

/** From when to when, both included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** From when to when pictures were analysed, and how often; null where that is not known. */
export interface AnalysedSpan extends Span {
  readonly intervalMs: number | null;
}

/** A frame as it was analysed; without sightings it showed nothing that was followed. */
export interface StoredFrame {
  readonly capturedAtMs: number;
  readonly sightings: readonly Sighting[];
}

/** Where no span is known (rows from before spans were kept), pauses up to this are taken for an empty picture. */
const BRIDGED_MS = 60_000;
/** What was looked at is told in stretches; a gap of a smaller share of the range is left out. */
const TOLD_GAP = 1 / 400;

/**
 * Puts the frames back that left no row because nothing was in them. Between two stored frames there are empty ones, as
 * often as pictures were analysed at that time, as far as the spans say that they were, or as the pause is too short to mean
 * anything else.
 */
export class FrameTimeline {
  private readonly leastIntervalMs: number;
  private readonly spans: readonly AnalysedSpan[];
  private readonly range: Span;
  private nextSpan = 0;
  private lastMs = -Infinity;
  private isFirst = true;
  private readonly stretches: { fromMs: number; toMs: number }[] = [];
  /** For how long pictures were looked at, so far. */
  coveredMs = 0;

  /**
   * @param options.range half open
   * @param options.intervalMs between two samples at least, and where a span does not tell
   * @param options.spans in order of their begin
   */
  constructor(options: {
    readonly range: Span;
    readonly intervalMs: number;
    readonly spans: readonly AnalysedSpan[];
  }) {
    this.leastIntervalMs = options.intervalMs;
    this.spans = options.spans;
    this.range = options.range;
  }

  /** When pictures were looked at, so far. */
  get looked(): readonly Span[] {
    return this.stretches;
  }

  /** The empty frames before the stored one, then itself. Frames come in order. */
  *until(frame: StoredFrame): Generator<StoredFrame> {
    const { capturedAtMs } = frame;
    const intervalMs = this.intervalAt(capturedAtMs);
    const lastEmptyMs = capturedAtMs - intervalMs / 2;
    const isBridged = !this.isFirst && capturedAtMs - this.lastMs <= BRIDGED_MS;
    if (isBridged) yield* this.empty(this.lastMs, lastEmptyMs, intervalMs);
    else yield* this.coveredUntil(lastEmptyMs);
    this.isFirst = false;
    this.step(capturedAtMs, intervalMs);
    yield frame;
  }

  /** The empty frames after the last stored one. */
  *rest(): Generator<StoredFrame> {
    yield* this.coveredUntil(this.range.toMs - 1);
  }

  private *coveredUntil(untilMs: number): Generator<StoredFrame> {
    for (; this.nextSpan < this.spans.length; this.nextSpan++) {
      const span = this.spans[this.nextSpan]!;
      if (span.fromMs > untilMs) return;
      const intervalMs = this.intervalOf(span);
      const fromMs = Math.max(this.lastMs, span.fromMs - intervalMs);
      yield* this.empty(fromMs, Math.min(untilMs, span.toMs), intervalMs);
      if (span.toMs >= untilMs) return;
    }
  }

  /** After `fromMs`, up to and with `untilMs`. */
  private *empty(fromMs: number, untilMs: number, intervalMs: number): Generator<StoredFrame> {
    const sightings: readonly Sighting[] = [];
    for (let atMs = fromMs + intervalMs; atMs <= untilMs; atMs += intervalMs) {
      const capturedAtMs = Math.round(atMs);
      this.step(capturedAtMs, intervalMs);
      yield { capturedAtMs, sightings };
    }
  }

  private intervalAt(atMs: number): number {
    while (this.nextSpan < this.spans.length && this.spans[this.nextSpan]!.toMs < this.lastMs)
      this.nextSpan++;
    const span = this.spans[this.nextSpan];
    return span && span.fromMs <= atMs ? this.intervalOf(span) : this.leastIntervalMs;
  }

  private intervalOf({ intervalMs }: AnalysedSpan): number {
    return Math.max(intervalMs ?? 0, this.leastIntervalMs);
  }

  private step(capturedAtMs: number, intervalMs: number): void {
    const stepMs = capturedAtMs - this.lastMs;
    // The time before a frame that follows a pause was not looked at: the frame stands for itself.
    this.coveredMs += stepMs > intervalMs * 1.5 ? intervalMs : stepMs;
    const last = this.stretches.at(-1);
    const toldGapMs = Math.max(1.5 * intervalMs, (this.range.toMs - this.range.fromMs) * TOLD_GAP);
    if (last && stepMs <= toldGapMs) last.toMs = capturedAtMs;
    else this.stretches.push({ fromMs: capturedAtMs, toMs: capturedAtMs });
    this.lastMs = capturedAtMs;
  }
}
