/** One stream of a camera, as its RTSP clients see it. */
import { type ParameterSets, extractParameterSets, joinAnnexB, parseSps, splitNals } from "@huishi/media";
import { type CodedClip, type HevcParameterSets, type VideoCodec, hevcParameterSets } from "./coded-clip.ts";

/** One coded picture on the camera's own timeline. */
export interface Picture {
  readonly codec: VideoCodec;
  /** NAL units without start codes. */
  readonly nals: readonly Uint8Array[];
  readonly keyframe: boolean;
  /** When it was taken, wall clock in milliseconds (may have a fraction). Never goes back. */
  readonly takenAtMs: number;
}

export type StreamDescription = {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
} & (
  | { readonly codec: "h264"; readonly parameterSets: ParameterSets }
  | { readonly codec: "h265"; readonly parameterSets: HevcParameterSets }
);

/** What plays instead of a stream's own pictures. */
interface Replacement {
  readonly clip: CodedClip;
  /** False: the description stays what it was, as on a camera that changes its codec under a running session. */
  readonly isAnnounced: boolean;
  ticks: number;
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
  #replacement: Replacement | undefined;
  /** After a replacement the stream's own pictures make sense from a keyframe on. */
  #awaitsKeyframe = false;

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

  /** Fault: plays the clip instead of the stream's own pictures, from its keyframe on; undefined ends it. */
  replace(clip: CodedClip | undefined, isAnnounced = true): void {
    this.#awaitsKeyframe = clip === undefined && this.#replacement !== undefined;
    this.#replacement = clip && { clip, isAnnounced, ticks: 0 };
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes one Annex B access unit from the source. */
  publish(annexB: Uint8Array, keyframe: boolean, takenAtMs: number): void {
    this.publishPicture({ codec: "h264", nals: splitNals(annexB), keyframe, takenAtMs });
  }

  /** Takes one picture from the source; H.265 needs the size of its clip, H.264 tells it itself. */
  publishPicture(picture: Picture, size?: { readonly width: number; readonly height: number }): void {
    const { takenAtMs } = picture;
    if (this.#replacement) return this.#publishReplacement(this.#replacement, takenAtMs);
    if (this.#isFrozen && this.#group[0]) {
      if (takenAtMs - this.#frozenAtMs < FROZEN_PERIOD_MS) return;
      this.#frozenAtMs = takenAtMs;
      this.#emit({ ...this.#group[0], takenAtMs });
      return;
    }
    if (this.#awaitsKeyframe && !picture.keyframe) return;
    this.#awaitsKeyframe = false;
    if (picture.keyframe) this.#describe(picture, size);
    if (this.#description) this.#emit(picture);
  }

  #publishReplacement(replacement: Replacement, takenAtMs: number): void {
    const { clip, isAnnounced } = replacement;
    const tick = replacement.ticks++;
    const coded = clip.pictures[(tick / clip.everyTicks) % clip.pictures.length];
    if (tick % clip.everyTicks !== 0 || !coded) return;
    const picture = { ...coded, codec: clip.codec, takenAtMs };
    if (coded.keyframe && isAnnounced) this.#describe(picture, clip);
    this.#emit(picture);
  }

  #describe(picture: Picture, size?: { readonly width: number; readonly height: number }): void {
    const description = this.#read(picture, size);
    if (!description) return;
    this.#description = description;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #read(
    { codec, nals }: Picture,
    size: { readonly width: number; readonly height: number } | undefined,
  ): StreamDescription | undefined {
    const { fps } = this;
    if (codec === "h265") {
      const parameterSets = hevcParameterSets(nals);
      const { width = 0, height = 0 } = size ?? {};
      return parameterSets && { codec, width, height, fps, parameterSets };
    }
    const parameterSets = extractParameterSets(joinAnnexB(nals));
    if (!parameterSets) return undefined;
    const { width, height } = parseSps(parameterSets.sps);
    return { codec, width, height, fps, parameterSets };
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
