/** One H.264 stream of a camera, as its RTSP clients see it. */
import { type ParameterSets, extractParameterSets, parseSps, splitNals } from "@huishi/media";

/** One coded picture on the camera's own timeline. */
export interface Picture {
  /** NAL units without start codes. */
  readonly nals: readonly Uint8Array[];
  readonly keyframe: boolean;
  /** When it was taken, wall clock in milliseconds (may have a fraction). Never goes back. */
  readonly takenAtMs: number;
}

export interface StreamDescription {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly parameterSets: ParameterSets;
}

type Listener = (picture: Picture) => void;

/** A frozen camera repeats its last keyframe at most this often. */
const FROZEN_PERIOD_MS = 200;
/** A group of pictures beyond this is not kept for joining clients: they wait for the next keyframe. */
const MAX_GROUP_BYTES = 16 * 1024 * 1024;

/**
 * Hands the pictures of one stream to its listeners and keeps the pictures since the last keyframe, so that a
 * new client can start at once. Knows nothing of RTP.
 */
export class VideoStream {
  readonly name: "main" | "sub";
  readonly fps: number;
  #listeners = new Set<Listener>();
  #group: Picture[] = [];
  #groupBytes = 0;
  #description: StreamDescription | undefined;
  #waiting: Array<() => void> = [];
  #isFrozen = false;
  #frozenAtMs = 0;

  constructor(name: "main" | "sub", fps: number) {
    this.name = name;
    this.fps = fps;
  }

  /** Size and parameter sets; undefined until the first keyframe. */
  get description(): StreamDescription | undefined {
    return this.#description;
  }

  /** The pictures since the last keyframe, which comes first. Empty before the first one. */
  get group(): readonly Picture[] {
    return this.#group;
  }

  get lastKeyframe(): Picture | undefined {
    return this.#group[0];
  }

  /** Resolves when the first keyframe is there. */
  ready(): Promise<void> {
    return this.#description ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** While frozen the last keyframe is repeated with new times. */
  freeze(on: boolean): void {
    this.#isFrozen = on;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes one Annex B access unit from the source. */
  publish(annexB: Uint8Array, keyframe: boolean, takenAtMs: number): void {
    if (this.#isFrozen && this.#group[0]) {
      if (takenAtMs - this.#frozenAtMs < FROZEN_PERIOD_MS) return;
      this.#frozenAtMs = takenAtMs;
      this.#emit({ ...this.#group[0], takenAtMs });
      return;
    }
    if (keyframe) this.#describe(annexB);
    if (!this.#description) return;
    this.#emit({ nals: splitNals(annexB), keyframe, takenAtMs });
  }

  #describe(annexB: Uint8Array): void {
    const parameterSets = extractParameterSets(annexB);
    if (!parameterSets) return;
    const { width, height } = parseSps(parameterSets.sps);
    this.#description = { width, height, fps: this.fps, parameterSets };
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #emit(picture: Picture): void {
    if (picture.keyframe) {
      this.#group = [];
      this.#groupBytes = 0;
    }
    if (picture.keyframe || this.#group.length > 0) {
      this.#groupBytes += picture.nals.reduce((sum, nal) => sum + nal.length, 0);
      if (this.#groupBytes > MAX_GROUP_BYTES) this.#group = [];
      else this.#group.push(picture);
    }
    for (const listener of this.#listeners) listener(picture);
  }
}

/** What plays into a camera's two streams. */
export interface VideoSource {
  readonly main: VideoStream;
  readonly sub: VideoStream;
  /** Plays until the signal aborts; throws when the source fails. */
  run(signal: AbortSignal): Promise<void>;
}
