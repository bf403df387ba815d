import type { Sighting } from "./replayed-track.ts";

/** From when to when pictures were analysed, both included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A frame as it was analysed; without sightings it showed nothing that was followed. */
export interface StoredFrame {
  readonly capturedAtMs: number;
  readonly sightings: readonly Sighting[];
}

/** Where no span is known (rows from before spans were kept), pauses up to this are taken for an empty picture. */
const BRIDGED_MS = 60_000;

/**
 * Puts the frames back that left no row because nothing was in them. Between two stored frames there are empty ones at the
 * sampling rate, as far as the spans say that pictures were analysed, or as the pause is too short to mean anything else.
 */
export class FrameTimeline {
  private readonly intervalMs: number;
  private readonly spans: readonly Span[];
  private readonly toMs: number;
  private nextSpan = 0;
  private lastMs: number;
  private isFirst = true;
  /** For how long pictures were looked at, so far. */
  coveredMs = 0;

  /** @param spans in order, not overlapping; the range is half open */
  constructor(options: {
    readonly range: Span;
    readonly intervalMs: number;
    readonly spans: readonly Span[];
  }) {
    this.intervalMs = options.intervalMs;
    this.spans = options.spans;
    this.lastMs = options.range.fromMs - options.intervalMs;
    this.toMs = options.range.toMs;
  }

  /** The empty frames before the stored one, then itself. Frames come in order. */
  *until(frame: StoredFrame): Generator<StoredFrame> {
    const pauseMs = frame.capturedAtMs - this.lastMs;
    const isBridged = !this.isFirst && pauseMs <= BRIDGED_MS;
    const lastEmptyMs = frame.capturedAtMs - this.intervalMs / 2;
    if (isBridged) yield* this.empty(this.lastMs, lastEmptyMs);
    else yield* this.coveredUntil(lastEmptyMs);
    this.isFirst = false;
    this.step(frame.capturedAtMs);
    yield frame;
  }

  /** The empty frames after the last stored one. */
  *rest(): Generator<StoredFrame> {
    yield* this.coveredUntil(this.toMs - 1);
  }

  private *coveredUntil(untilMs: number): Generator<StoredFrame> {
    for (; this.nextSpan < this.spans.length; this.nextSpan++) {
      const span = this.spans[this.nextSpan]!;
      if (span.fromMs > untilMs) return;
      const fromMs = Math.max(this.lastMs, span.fromMs - this.intervalMs);
      yield* this.empty(fromMs, Math.min(untilMs, span.toMs));
      if (span.toMs >= untilMs) return;
    }
  }

  /** After `fromMs`, up to and with `untilMs`. */
  private *empty(fromMs: number, untilMs: number): Generator<StoredFrame> {
    const sightings: readonly Sighting[] = [];
    for (let atMs = fromMs + this.intervalMs; atMs <= untilMs; atMs += this.intervalMs) {
      const capturedAtMs = Math.round(atMs);
      this.step(capturedAtMs);
      yield { capturedAtMs, sightings };
    }
  }

  private step(capturedAtMs: number): void {
    const stepMs = capturedAtMs - this.lastMs;
    // The time before a frame that follows a pause was not looked at.
    this.coveredMs += Math.min(stepMs, this.intervalMs * 1.5);
    this.lastMs = capturedAtMs;
  }
}

/** Spans that overlap or nearly touch become one; in order of time. */
export function mergeSpans(spans: readonly Span[], slackMs: number): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && span.fromMs <= last.toMs + slackMs)
      merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
    else merged.push(span);
  }
  return merged;
}
