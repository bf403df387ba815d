/** One camera's decoder: access units in, sampled frames (I420) with their exact capture times out. */
import type { AccessUnit } from "@huishi/contracts";
import { type Clock, HuishiError, messageOf, supervise, systemClock } from "@huishi/kernel";
import { extractParameterSets, parseSps } from "@huishi/media";
import type { RgbFrame } from "../../application/detector.ts";
import { fitWithin, type PictureSize } from "./analysis-size.ts";
import { MAX_PIXELS } from "./decoder-arguments.ts";
import { DecoderProcess } from "./decoder-process.ts";
import type { TimedPicture } from "./picture-assembler.ts";
import { PictureBuffers } from "./picture-buffers.ts";
import { SampleGrid } from "./sample-grid.ts";
import { UnitClock } from "./unit-clock.ts";

export interface DecodedFrame extends RgbFrame {
  readonly capturedAtMs: number;
  /** From sending the unit to the decoder to having its picture. */
  readonly decodeMs: number;
}

/**
 * `decoder_behind`: its input queue was full; `decoder_restart`: no decoder runs; `unsupported_codec`: not H.264;
 * `picture_too_large`: above 8K; `stream_unreadable`: its keyframes do not say what they are.
 */
type DecoderDropReason = "decoder_behind" | "decoder_restart" | "unsupported_codec" | Refusal;
type Refusal = "picture_too_large" | "stream_unreadable";

export interface FrameDecoderOptions {
  readonly name: string;
  readonly sampleFps: number;
  /** Frames are scaled to fit. Default 640x360. */
  readonly bounds?: PictureSize;
  readonly onFrame: (frame: DecodedFrame) => void;
  /** Access units that were not decoded. Until the first keyframe none counts as dropped. */
  readonly onDrop: (reason: DecoderDropReason, count: number) => void;
  /** The decoder failed and will be started again. */
  readonly onFault: (error: HuishiError) => void;
  readonly clock?: Clock;
}

const DEFAULT_BOUNDS: PictureSize = { width: 640, height: 360 };
/** About two seconds of a 16 Mbit/s stream. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** Pictures later than this are of no use for an alarm within two seconds: units are skipped up to the next keyframe. */
const MAX_LAG_MS = 2_000;
/** A decoder that was fed for so long without giving a picture hangs. */
const STALL_MS = 10_000;
/** FLV counts 31 bits of milliseconds, 24 days: a decoder is replaced long before. */
const MAX_STREAM_MS = 2 ** 30;
/** Pictures in flight between being let go and being needed again. */
const SPARE_PICTURES = 4;
const RESTART = { baseDelayMs: 250, maxDelayMs: 10_000, healthyAfterMs: 30_000 };

interface Stream {
  readonly process: DecoderProcess;
  readonly clock: UnitClock;
  readonly picture: PictureSize;
  readonly size: PictureSize;
  readonly grid: SampleGrid;
  /** Since when it has owed the picture of a sample; null when it owes none. */
  waitingSinceMs: number | null;
}

/** Owns one ffmpeg child at a time; starts it at a keyframe, anew after a failure or when the resolution changes. */
export class FrameDecoder {
  readonly #options: FrameDecoderOptions;
  readonly #bounds: PictureSize;
  readonly #wallClock: Clock;
  readonly #abort = new AbortController();
  readonly #supervised: Promise<void>;
  readonly #buffers = new PictureBuffers(SPARE_PICTURES);
  #stream: Stream | null = null;
  /** Set while the supervisor lets a decoder start; called with the stream that was started. */
  #onStart: ((stream: Stream) => void) | null = null;
  #skippingToKeyframe = true;
  #started = false;
  /** Why nothing of the stream is decoded since its last keyframe. */
  #refusal: Refusal | null = null;

  constructor(options: FrameDecoderOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? DEFAULT_BOUNDS;
    this.#wallClock = options.clock ?? systemClock;
    this.#supervised = supervise(
      { name: `decoder of ${options.name}`, run: (signal) => this.#run(signal) },
      this.#abort.signal,
      {
        ...RESTART,
        onFailure: ({ error }) =>
          options.onFault(
            error instanceof HuishiError
              ? error
              : new HuishiError("DECODER_FAILED", messageOf(error), { cause: error }),
          ),
      },
    );
  }

  /**
   * Takes one access unit. Never waits: what a slow decoder cannot take is dropped up to the next keyframe.
   *
   * @param sentAtMs when the unit was sent on its way here, on this machine's clock
   */
  push(unit: AccessUnit, sentAtMs: number = this.#wallClock.nowMs()): void {
    if (this.#abort.signal.aborted) return;
    if (unit.codec !== "h264") {
      this.#options.onDrop("unsupported_codec", 1);
      return;
    }
    if (this.#stream) this.#checkStall(this.#stream);
    if (unit.keyframe) this.#atKeyframe(unit, sentAtMs);
    const stream = this.#stream;
    if (this.#skippingToKeyframe || !stream) {
      if (this.#refusal) this.#options.onDrop(this.#refusal, 1);
      else if (this.#started) this.#options.onDrop(stream ? "decoder_behind" : "decoder_restart", 1);
      return;
    }
    if (stream.process.queuedBytes > MAX_QUEUED_BYTES) {
      this.#skippingToKeyframe = true;
      this.#options.onDrop("decoder_behind", 1);
      return;
    }
    this.#feed(stream, unit, sentAtMs);
  }

  /** Takes back a frame's picture: nobody reads it any more. */
  recycle({ data }: DecodedFrame): void {
    this.#buffers.give(data);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#supervised;
  }

  /** Supervised: waits for a keyframe that starts a stream and stays until that stream's decoder has failed. */
  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const stream = await this.#nextStream(signal);
      if (!stream) return;
      const stop = (): void => void stream.process.stop();
      signal.addEventListener("abort", stop, { once: true });
      const failure = await stream.process.ended;
      signal.removeEventListener("abort", stop);
      if (this.#stream === stream) this.#stream = null;
      if (signal.aborted) return;
      if (failure) throw failure;
    }
  }

  #nextStream(signal: AbortSignal): Promise<Stream | null> {
    // A change of resolution has put the next stream there already.
    if (this.#stream) return Promise.resolve(this.#stream);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#onStart = null;
        resolve(null);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#onStart = (stream) => {
        signal.removeEventListener("abort", onAbort);
        this.#onStart = null;
        resolve(stream);
      };
    });
  }

  #atKeyframe(unit: AccessUnit, sentAtMs: number): void {
    const picture = pictureSize(unit.data);
    const refusal = refusalOf(picture);
    if (refusal || !picture) {
      // A decoder that knows the stream from before can go on without being told again.
      if (!this.#stream || refusal === "picture_too_large") this.#refuse(refusal ?? "stream_unreadable");
      return;
    }
    this.#refusal = null;
    const stream = this.#stream;
    if (stream && isOver(stream, picture)) {
      this.#stream = this.#start(picture);
      void stream.process.stop();
    } else if (!stream && this.#onStart) {
      this.#stream = this.#start(picture);
      this.#onStart(this.#stream);
    }
    const isFresh = this.#wallClock.nowMs() - sentAtMs < MAX_LAG_MS / 2;
    if (this.#stream && isFresh && this.#stream.process.queuedBytes < MAX_QUEUED_BYTES / 2)
      this.#skippingToKeyframe = false;
  }

  /** Said once, until a keyframe can be decoded again. */
  #refuse(refusal: Refusal): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#skippingToKeyframe = true;
    if (this.#refusal !== refusal) this.#options.onFault(refusalError(refusal));
    this.#refusal = refusal;
    void stream?.process.stop();
  }

  /** Whatever is fed or left out: a decoder that hangs must not be waited for. */
  #checkStall(stream: Stream): void {
    if (stream.waitingSinceMs === null || this.#wallClock.nowMs() - stream.waitingSinceMs <= STALL_MS) return;
    this.#fail(
      stream,
      new HuishiError(
        "DECODER_STALLED",
        `The decoder gave no picture for ${STALL_MS / 1000} s; it is started again.`,
      ),
    );
  }

  #start(picture: PictureSize): Stream {
    const size = fitWithin(picture, this.#bounds);
    const stream: Stream = {
      process: new DecoderProcess({
        size,
        sampleFps: this.#options.sampleFps,
        onPicture: (timed) => this.#emit(stream, timed),
        newBuffer: (bytes) => this.#buffers.take(bytes),
      }),
      clock: new UnitClock(),
      picture,
      size,
      grid: new SampleGrid(this.#options.sampleFps),
      waitingSinceMs: null,
    };
    this.#started = true;
    return stream;
  }

  #feed(stream: Stream, unit: AccessUnit, sentAtMs: number): void {
    try {
      const ptsMs = stream.clock.stamp({ capturedAtMs: unit.capturedAtMs, fedAtMs: sentAtMs });
      stream.process.write({ annexB: unit.data, keyframe: unit.keyframe, ptsMs });
      if (stream.grid.isSample(ptsMs)) stream.waitingSinceMs ??= this.#wallClock.nowMs();
      // Up to the next sample nothing is missing; while a picture is owed, a decoder that reorders needs what follows.
      if (stream.waitingSinceMs !== null) stream.process.flush();
    } catch (error) {
      // A damaged unit: what follows needs it, so that the next keyframe is the next thing of use.
      this.#skippingToKeyframe = true;
      this.#options.onFault(
        new HuishiError(
          "MEDIA_UNIT_DAMAGED",
          `An access unit could not be read (${messageOf(error)}); waiting for the next keyframe.`,
          { cause: error },
        ),
      );
    }
  }

  #fail(stream: Stream, error: HuishiError): void {
    this.#stream = null;
    this.#skippingToKeyframe = true;
    this.#options.onFault(error);
    void stream.process.stop();
  }

  #emit(stream: Stream, { ptsMs, data }: TimedPicture): void {
    if (stream !== this.#stream) return;
    stream.waitingSinceMs = null;
    const unit = stream.clock.take(ptsMs);
    if (!unit) {
      this.#buffers.give(data);
      return;
    }
    const decodeMs = this.#wallClock.nowMs() - unit.fedAtMs;
    // Behind: better the present soon than the past completely.
    if (decodeMs > MAX_LAG_MS) this.#skippingToKeyframe = true;
    this.#options.onFrame({
      ...stream.size,
      layout: "i420",
      data,
      capturedAtMs: unit.capturedAtMs,
      decodeMs,
    });
  }
}

/** Does this keyframe need a decoder of its own? */
function isOver(stream: Stream, picture: PictureSize): boolean {
  return (
    stream.picture.width !== picture.width ||
    stream.picture.height !== picture.height ||
    stream.clock.elapsedMs > MAX_STREAM_MS
  );
}

function refusalOf(picture: PictureSize | null): Refusal | null {
  if (picture === null) return "stream_unreadable";
  return picture.width * picture.height > MAX_PIXELS ? "picture_too_large" : null;
}

function refusalError(refusal: Refusal): HuishiError {
  return refusal === "picture_too_large"
    ? new HuishiError(
        "PICTURE_TOO_LARGE",
        "The camera's pictures are larger than 8K: set a smaller stream for analysis.",
      )
    : new HuishiError(
        "STREAM_UNREADABLE",
        "The stream's keyframes carry no readable parameter sets: there is no video that can be decoded in it yet.",
      );
}

/** Size of the pictures that a keyframe begins; null when its parameter sets are missing or damaged. */
function pictureSize(annexB: Uint8Array): PictureSize | null {
  try {
    const sets = extractParameterSets(annexB);
    return sets ? parseSps(sets.sps) : null;
  } catch {
    return null;
  }
}
