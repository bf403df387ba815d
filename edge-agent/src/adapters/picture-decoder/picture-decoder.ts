import type { VideoCodec } from "@huishi/contracts";
import { type LumaPicture, pictureSizeOf } from "@huishi/media";
import type { Keyframe, PictureDecoder } from "../../application/picture-ports.ts";
import { DecoderChild } from "./decoder-child.ts";

/** The decoder's own limit: 8K. A larger picture is not even given to it. */
const MAX_PIXELS = 33_177_600;
const TIMEOUT_MS = 3_000;
/** Keyframes above this are none. */
const MAX_BYTES = 8 * 1024 * 1024;
/** A camera whose keyframes fail is left alone for this long after each failure in a row, doubled up to the bound. */
const BACK_OFF_MS = 10_000;
const MAX_BACK_OFF_MS = 600_000;

export interface PictureDecoderOptions {
  readonly ffmpegPath?: string;
  readonly timeoutMs?: number;
  readonly nowMs?: () => number;
}

/** Keyframes of all cameras through one child a codec; each camera has one place in the queue (dropOldest). */
export class FfmpegPictureDecoder implements PictureDecoder {
  readonly #options: PictureDecoderOptions;
  readonly #lanes = new Map<VideoCodec, DecoderLane>();
  readonly #offenders = new Map<string, { failures: number; untilMs: number }>();
  #failed = 0;
  #skipped = 0;

  constructor(options: PictureDecoderOptions = {}) {
    this.#options = options;
  }

  get counts(): { readonly failed: number; readonly skipped: number; readonly restarts: number } {
    let restarts = 0;
    for (const lane of this.#lanes.values()) restarts += lane.restarts;
    return { failed: this.#failed, skipped: this.#skipped, restarts };
  }

  /** Process ids of the running children. */
  get pids(): number[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.pid ?? []);
  }

  async decode(keyframe: Keyframe): Promise<LumaPicture | null> {
    const nowMs = (this.#options.nowMs ?? Date.now)();
    const offender = this.#offenders.get(keyframe.cameraId);
    if ((offender && nowMs < offender.untilMs) || !isDecodable(keyframe)) {
      this.#skipped += 1;
      return null;
    }
    const outcome = await this.#lane(keyframe.codec).decode(keyframe);
    if (outcome === "dropped") {
      this.#skipped += 1;
      return null;
    }
    if (outcome !== null) {
      this.#offenders.delete(keyframe.cameraId);
      return outcome;
    }
    this.#failed += 1;
    const failures = (offender?.failures ?? 0) + 1;
    // One bad keyframe costs one sample; only one that fails again is left alone.
    const restMs = failures < 2 ? 0 : Math.min(MAX_BACK_OFF_MS, BACK_OFF_MS * 2 ** (failures - 2));
    this.#offenders.set(keyframe.cameraId, { failures, untilMs: nowMs + restMs });
    return null;
  }

  forget(cameraId: string): void {
    this.#offenders.delete(cameraId);
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
  }

  #lane(codec: VideoCodec): DecoderLane {
    const known = this.#lanes.get(codec);
    if (known) return known;
    const { ffmpegPath = "ffmpeg", timeoutMs = TIMEOUT_MS } = this.#options;
    const lane = new DecoderLane(() => new DecoderChild(codec, ffmpegPath), timeoutMs);
    this.#lanes.set(codec, lane);
    return lane;
  }
}

type Outcome = LumaPicture | null | "dropped";

/** One child and who waits for it, first come first served, one keyframe a camera. */
class DecoderLane {
  readonly #spawn: () => DecoderChild;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, { keyframe: Keyframe; resolve(outcome: Outcome): void }>();
  #child: DecoderChild | null = null;
  #isRunning = false;
  #isClosed = false;
  #spawned = 0;

  constructor(spawn: () => DecoderChild, timeoutMs: number) {
    this.#spawn = spawn;
    this.#timeoutMs = timeoutMs;
  }

  get restarts(): number {
    return Math.max(0, this.#spawned - 1);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  decode(keyframe: Keyframe): Promise<Outcome> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve("dropped");
      this.#waiting.get(keyframe.cameraId)?.resolve("dropped");
      // Replacing keeps the camera's place in the queue.
      this.#waiting.set(keyframe.cameraId, { keyframe, resolve });
      if (!this.#isRunning) void this.#drain();
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const { resolve } of this.#waiting.values()) resolve("dropped");
    this.#waiting.clear();
    this.#child?.kill();
  }

  async #drain(): Promise<void> {
    this.#isRunning = true;
    for (;;) {
      const next = this.#waiting.entries().next();
      if (next.done) break;
      const [cameraId, { keyframe, resolve }] = next.value;
      this.#waiting.delete(cameraId);
      resolve(await this.#decodeOne(keyframe));
    }
    this.#isRunning = false;
  }

  async #decodeOne({ annexB }: Keyframe): Promise<Outcome> {
    if (this.#isClosed) return "dropped";
    if (this.#child === null || this.#child.hasEnded) {
      this.#child = this.#spawn();
      this.#spawned += 1;
    }
    try {
      return await this.#child.decode(annexB, this.#timeoutMs);
    } catch {
      this.#child.kill();
      return null;
    }
  }
}

/** Refuses what the decoder would refuse after allocating: wrong size, damaged parameter sets. */
function isDecodable({ codec, annexB }: Keyframe): boolean {
  if (annexB.byteLength === 0 || annexB.byteLength > MAX_BYTES) return false;
  try {
    const size = pictureSizeOf(codec, annexB);
    // Without its parameter sets an H.264 keyframe gives no picture; H.265 cameras may send them apart.
    if (size === null) return codec === "h265";
    return size.width * size.height <= MAX_PIXELS;
  } catch {
    return false;
  }
}
