import type { CameraMeasure, MeterUnit } from "./stream-measure.ts";
import { FaultLatch, type Finding, type LatchLimits } from "@huishi/kernel";

/** Every figure that decides about rates. */
const METER_LIMITS = {
  /** Rates are counted over this long. */
  windowMs: 5_000,
  /** Windows before the camera's own level is known. */
  learnWindows: 12,
  /** Share of each later window in the level: 0.005 at 5 s is a memory of 17 minutes. */
  learnShare: 0.005,
  /** Pictures a second over the camera's own level. */
  frameRate: { enter: 0.5, leave: 0.75 },
  /** Bits a second over the own level: low, because a quiet scene at night takes a tenth of a busy one. */
  bitRate: { enter: 0.06, leave: 0.12 },
  latch: { enterMs: 20_000, enterSamples: 4, exitMs: 15_000, exitSamples: 3 } satisfies LatchLimits,
  /** A measure is told anew when a rate moved by more than this share, but not more often than the pauses say. */
  changeShare: 0.2,
  frameRatePauseMs: 30_000,
  bitRatePauseMs: 300_000,
  regularlyMs: 3_600_000,
} as const;

/** Counts one stream without decoding it: rates, keyframe interval, and whether they collapsed. */
export class StreamMeter {
  readonly #frameRate = new RateWatch(METER_LIMITS.frameRate);
  readonly #bitRate = new RateWatch(METER_LIMITS.bitRate);
  #fromMs: number | null = null;
  #units = 0;
  #bytes = 0;
  #lastKeyframeMs: number | null = null;
  #gopMs: number | null = null;
  #smoothBitRate: number | null = null;
  #told: (CameraMeasure & { readonly atMs: number }) | null = null;

  get faults(): { readonly fault: "low_bit_rate" | "low_frame_rate"; readonly sinceMs: number }[] {
    const low = { low_frame_rate: this.#frameRate.sinceMs, low_bit_rate: this.#bitRate.sinceMs };
    return (["low_frame_rate", "low_bit_rate"] as const).flatMap((fault) => {
      const sinceMs = low[fault];
      return sinceMs === null ? [] : [{ fault, sinceMs }];
    });
  }

  /** The stream was interrupted: a window with a hole in it is no measure. */
  interrupt(): void {
    this.#fromMs = null;
    this.#lastKeyframeMs = null;
  }

  /** A measure to be told, when there is one. */
  add(unit: MeterUnit): CameraMeasure | null {
    const { atMs } = unit;
    if (unit.keyframe) {
      if (this.#lastKeyframeMs !== null && atMs > this.#lastKeyframeMs)
        this.#gopMs = atMs - this.#lastKeyframeMs;
      this.#lastKeyframeMs = atMs;
    }
    const wasOpen = this.#fromMs !== null && atMs >= this.#fromMs;
    if (!wasOpen) this.#open(atMs);
    const spanMs = atMs - (this.#fromMs as number);
    let measure: CameraMeasure | null = null;
    if (spanMs >= METER_LIMITS.windowMs) {
      measure = this.#close(spanMs, unit);
      this.#open(atMs);
    }
    this.#units += 1;
    this.#bytes += unit.bytes;
    return measure;
  }

  #open(atMs: number): void {
    this.#fromMs = atMs;
    this.#units = 0;
    this.#bytes = 0;
  }

  #close(spanMs: number, unit: MeterUnit): CameraMeasure | null {
    const fps = (this.#units * 1_000) / spanMs;
    const bitRate = (this.#bytes * 8_000) / spanMs;
    this.#frameRate.observe(fps, unit.atMs);
    this.#bitRate.observe(bitRate, unit.atMs);
    const before = this.#smoothBitRate ?? bitRate;
    this.#smoothBitRate = before + (bitRate - before) * 0.2;
    const { codec, width, height } = unit;
    const measure: CameraMeasure = {
      codec,
      width,
      height,
      fps: Math.round(fps * 10) / 10,
      bitRate: Math.round(this.#smoothBitRate),
      ...(this.#gopMs === null ? {} : { gopMs: Math.round(this.#gopMs) }),
    };
    if (!this.#isNews(measure, unit.atMs)) return null;
    this.#told = { ...measure, atMs: unit.atMs };
    return measure;
  }

  #isNews(measure: CameraMeasure, atMs: number): boolean {
    const told = this.#told;
    if (!told || atMs - told.atMs >= METER_LIMITS.regularlyMs) return true;
    if (measure.codec !== told.codec || measure.width !== told.width || measure.height !== told.height)
      return true;
    const heldMs = atMs - told.atMs;
    if (heldMs >= METER_LIMITS.frameRatePauseMs && hasMoved(told.fps, measure.fps)) return true;
    return heldMs >= METER_LIMITS.bitRatePauseMs && hasMoved(told.bitRate, measure.bitRate);
  }
}

const hasMoved = (from: number, to: number): boolean =>
  Math.abs(to - from) > Math.max(from, 1e-9) * METER_LIMITS.changeShare;

/** A rate against the camera's own level; the level is learnt from windows that are not low. */
class RateWatch {
  readonly #limits: { readonly enter: number; readonly leave: number };
  readonly #latch = new FaultLatch(METER_LIMITS.latch);
  #level = 0;
  #windows = 0;

  constructor(limits: { readonly enter: number; readonly leave: number }) {
    this.#limits = limits;
  }

  get sinceMs(): number | null {
    return this.#latch.sinceMs;
  }

  observe(rate: number, atMs: number): void {
    const isKnown = this.#windows >= METER_LIMITS.learnWindows;
    const share = this.#level === 0 ? 1 : rate / this.#level;
    const finding: Finding =
      share < this.#limits.enter ? "bad" : share > this.#limits.leave ? "good" : "between";
    this.#latch.observe(isKnown ? finding : "unknown", atMs);
    if (isKnown && finding !== "good") return;
    this.#windows += 1;
    this.#level += (rate - this.#level) * Math.max(METER_LIMITS.learnShare, 1 / this.#windows);
  }
}
