import type { StreamProfile, VideoCodec } from "@huishi/contracts";
import { type Clock, sleep } from "@huishi/kernel";
import { PICTURE_SAMPLE_MS, PictureJudge, pictureSizeOf } from "@huishi/media";
import { fittingView, viewSlot } from "../domain/kept-views.ts";
import type { CameraMeasure } from "../domain/stream-measure.ts";
import { StreamMeter } from "../domain/stream-meter.ts";
import type { FindingsBoard } from "./camera-findings.ts";
import type { EventRecorder } from "./outbox-relay.ts";
import type { PictureDecoder, ViewStore } from "./picture-ports.ts";
import type { CapturedUnit, Log, StreamConsumer, StreamTap, TapListener } from "./ports.ts";

const WATCH_TIMINGS = {
  /** Pause between two sampled keyframes of a camera. */
  sampleMs: PICTURE_SAMPLE_MS,
  /** A held stream without a picture for this long gives none: told within 10 s, with the look every second. */
  silenceMs: 8_000,
  lookMs: 1_000,
} as const;

/** How often a view is written down. */
const KEEP_VIEW_MS = 10 * 60_000;

export interface PictureWatchOptions {
  readonly decoder: PictureDecoder;
  readonly board: FindingsBoard;
  readonly recorder: Pick<EventRecorder, "record">;
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps the usual views over restarts; without it each is learnt anew. */
  readonly views?: ViewStore;
  /** Whether a camera's picture is watched (`watchPicture`); default all are. */
  readonly isWatched?: (cameraId: string) => boolean;
  readonly timings?: { readonly sampleMs: number; readonly silenceMs: number; readonly lookMs: number };
}

/** Holds every camera's small stream and judges its health from the bits and from sampled keyframes. */
export class PictureWatch implements TapListener {
  readonly #options: PictureWatchOptions;
  readonly #cameras = new Map<string, WatchedCamera>();

  constructor(options: PictureWatchOptions) {
    this.#options = options;
  }

  tapReady(tap: StreamTap): void {
    this.tapGone(tap.cameraId);
    if (this.#options.isWatched?.(tap.cameraId) === false) {
      // Whoever switches the watch off and on wants the view to be learnt anew.
      void this.#options.views?.forget(tap.cameraId).catch(() => undefined);
      return;
    }
    const camera = new WatchedCamera(tap.cameraId, "sub", this.#options);
    this.#cameras.set(tap.cameraId, camera);
    camera.attach(tap);
  }

  tapGone(cameraId: string): void {
    const camera = this.#cameras.get(cameraId);
    if (!camera) return;
    camera.detach();
    this.#cameras.delete(cameraId);
    this.#options.decoder.forget(cameraId);
    this.#options.board.remove(cameraId);
  }

  /** The view was changed on purpose (PTZ): what is usual is learnt anew. */
  viewChanged(cameraId: string): void {
    this.#cameras.get(cameraId)?.relearn();
  }

  /** Looks for silence until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { lookMs } = this.#options.timings ?? WATCH_TIMINGS;
    while (!signal.aborted) {
      await sleep(lookMs, signal).catch(() => undefined);
      for (const camera of this.#cameras.values()) camera.look();
    }
    for (const cameraId of this.#cameras.keys()) this.tapGone(cameraId);
  }
}

class WatchedCamera implements StreamConsumer {
  readonly #cameraId: string;
  readonly #profile: StreamProfile;
  readonly #options: PictureWatchOptions;
  readonly #timings: typeof WATCH_TIMINGS | NonNullable<PictureWatchOptions["timings"]>;
  readonly #meter = new StreamMeter();
  readonly #judge = new PictureJudge();
  #detach: (() => void) | null = null;
  #size = { codec: "" as VideoCodec | "", width: 0, height: 0 };
  #lastUnitMs: number;
  #flowing: boolean | null = null;
  #lastSampleMs = Number.NEGATIVE_INFINITY;
  #isDecoding = false;
  #told = "";
  #recalled: Promise<void> | null = null;
  #keptAtMs = Number.NEGATIVE_INFINITY;

  constructor(cameraId: string, profile: StreamProfile, options: PictureWatchOptions) {
    this.#cameraId = cameraId;
    this.#profile = profile;
    this.#options = options;
    this.#timings = options.timings ?? WATCH_TIMINGS;
    this.#lastUnitMs = options.clock.nowMs();
  }

  attach(tap: StreamTap): void {
    this.#detach = tap.attach(this.#profile, "health", this);
  }

  detach(): void {
    this.#detach?.();
    this.#detach = null;
  }

  relearn(): void {
    this.#judge.relearn();
    // The kept ones show what the camera is not pointed at any more.
    this.#recalled = Promise.resolve();
    this.#keptAtMs = Number.NEGATIVE_INFINITY;
    void this.#options.views?.forget(this.#cameraId).catch(() => undefined);
  }

  onUnit(unit: CapturedUnit): void {
    const nowMs = this.#options.clock.nowMs();
    this.#lastUnitMs = nowMs;
    this.#flowing = true;
    if (unit.keyframe) this.#readSize(unit);
    const { codec, annexB, keyframe, capturedAtMs } = unit;
    const { width, height } = this.#size;
    const measure = this.#meter.add({
      codec,
      width,
      height,
      bytes: annexB.byteLength,
      keyframe,
      atMs: capturedAtMs,
    });
    if (measure) this.#record(measure, capturedAtMs);
    if (keyframe && nowMs - this.#lastSampleMs >= this.#timings.sampleMs) void this.#sample(unit, nowMs);
    this.#tell();
  }

  onInterrupted(): void {
    this.#meter.interrupt();
  }

  look(): void {
    if (this.#options.clock.nowMs() - this.#lastUnitMs < this.#timings.silenceMs) return;
    this.#flowing = false;
    this.#meter.interrupt();
    this.#tell();
  }

  async #sample(unit: CapturedUnit, nowMs: number): Promise<void> {
    // One at a time a camera: while its last keyframe waits a newer one would only queue up.
    if (this.#isDecoding) return;
    this.#isDecoding = true;
    this.#lastSampleMs = nowMs;
    const { codec, annexB, capturedAtMs } = unit;
    try {
      const picture = await this.#options.decoder.decode({ cameraId: this.#cameraId, codec, annexB });
      await (this.#recalled ??= this.#recall());
      if (picture === null || this.#detach === null) return;
      this.#judge.sample(picture, capturedAtMs);
      this.#tell();
      await this.#keep();
    } catch (err) {
      this.#options.log.warn({ cameraId: this.#cameraId, err }, "a picture could not be judged");
    } finally {
      this.#isDecoding = false;
    }
  }

  /** What was usual at the last run, or at this time of another day. */
  async #recall(): Promise<void> {
    const kept = (await this.#options.views?.load(this.#cameraId).catch(() => [])) ?? [];
    const view = fittingView(kept, this.#options.clock.nowMs());
    if (view === null || !this.#judge.recall(view.bytes)) return;
    const ageS = Math.round((this.#options.clock.nowMs() - view.savedAtMs) / 1_000);
    this.#options.log.info({ cameraId: this.#cameraId, ageS }, "the usual view is known from before");
  }

  async #keep(): Promise<void> {
    const { views, clock } = this.#options;
    const nowMs = clock.nowMs();
    if (!views || nowMs - this.#keptAtMs < KEEP_VIEW_MS) return;
    const bytes = this.#judge.view;
    if (bytes === null) return;
    this.#keptAtMs = nowMs;
    await views.save(this.#cameraId, { slot: viewSlot(nowMs), savedAtMs: nowMs, bytes });
  }

  #readSize({ codec, annexB }: CapturedUnit): void {
    this.#size = codec === this.#size.codec ? this.#size : { codec, width: 0, height: 0 };
    try {
      const size = pictureSizeOf(codec, annexB);
      if (size) this.#size = { codec, ...size };
    } catch {
      // A damaged parameter set says nothing of the size.
    }
  }

  #record(measure: CameraMeasure, capturedAtMs: number): void {
    const { recorder } = this.#options;
    recorder.record({
      type: "camera_measure",
      cameraId: this.#cameraId,
      profile: this.#profile,
      capturedAtMs,
      ...measure,
    });
  }

  #tell(): void {
    const faults = [...this.#judge.faults, ...this.#meter.faults];
    const fingerprint = `${this.#flowing} ${faults.map(({ fault, sinceMs }) => `${fault}@${sinceMs}`).join(" ")}`;
    if (fingerprint === this.#told) return;
    this.#told = fingerprint;
    this.#options.board.put(this.#cameraId, { faults, flowing: this.#flowing });
  }
}
