/**
 * Plays the fragments of one stream in a <video> through Media Source Extensions and stays at the live edge.
 * Imperative on purpose: nothing here renders React.
 */
import { FrameTimes } from "./frame-times.ts";
import { latencyAction } from "./latency.ts";
import type { MediaSegment } from "./remuxer.ts";

/** About five seconds of fragments; beyond it the player drops to the next keyframe. */
const MAX_QUEUED = 150;
const KEPT_BEHIND_S = 4;
const TRIM_ABOVE_S = 12;
const RESTART_PAUSE_MS = 1_000;
const SEEK_PAUSE_MS = 1_000;

export interface PlayerListener {
  /** A frame is on the screen now. */
  presented(frame: { capturedAtMs: number; mediaTimeS: number }): void;
  /** The browser cannot play this codec. */
  unsupported(codec: string): void;
}

export interface PlayerStats {
  readonly presentedFrames: number;
  readonly droppedFrames: number;
  readonly lagMs: number;
}

export class MsePlayer {
  readonly #video: HTMLVideoElement;
  readonly #listener: PlayerListener;
  readonly #times = new FrameTimes();
  #mediaSource: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #init: MediaSegment["init"] = null;
  #queue: Uint8Array[] = [];
  #waitsForKeyframe = true;
  #frameDurationMs = 40;
  #presentedFrames = 0;
  #droppedFrames = 0;
  #restartTimer: ReturnType<typeof setTimeout> | null = null;
  #frameCallback = 0;
  #seekedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(video: HTMLVideoElement, listener: PlayerListener) {
    this.#video = video;
    this.#listener = listener;
    video.muted = true;
    video.addEventListener("error", this.#onVideoError);
    this.#frameCallback = video.requestVideoFrameCallback(this.#onFrame);
    this.#open();
  }

  get stats(): PlayerStats {
    const { buffered, currentTime } = this.#video;
    const endS = buffered.length > 0 ? buffered.end(buffered.length - 1) : currentTime;
    return {
      presentedFrames: this.#presentedFrames,
      droppedFrames: this.#droppedFrames + this.#video.getVideoPlaybackQuality().droppedVideoFrames,
      lagMs: Math.round((endS - currentTime) * 1_000),
    };
  }

  /** Takes the next fragment of the stream; a fragment with `init` begins a new configuration. */
  push(segment: MediaSegment): void {
    if (this.#closed) return;
    if (segment.init && segment.init !== this.#init) this.#configure(segment.init);
    if (this.#waitsForKeyframe && !segment.keyframe) {
      this.#droppedFrames += 1;
      return;
    }
    if (this.#queue.length >= MAX_QUEUED) {
      this.#droppedFrames += this.#queue.length;
      this.#queue = this.#init && !this.#buffer ? [this.#init.bytes] : [];
      this.#waitsForKeyframe = !segment.keyframe;
      if (this.#waitsForKeyframe) return;
    }
    this.#waitsForKeyframe = false;
    this.#frameDurationMs = segment.durationMs;
    this.#times.add(segment);
    this.#queue.push(segment.bytes);
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    if (this.#restartTimer) clearTimeout(this.#restartTimer);
    this.#video.cancelVideoFrameCallback(this.#frameCallback);
    this.#video.removeEventListener("error", this.#onVideoError);
    this.#shut();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #open(): void {
    const mediaSource = new MediaSource();
    this.#mediaSource = mediaSource;
    const url = URL.createObjectURL(mediaSource);
    mediaSource.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(url);
        if (this.#mediaSource === mediaSource) this.#flush();
      },
      { once: true },
    );
    this.#video.src = url;
  }

  #shut(): void {
    this.#mediaSource = null;
    this.#buffer?.removeEventListener("updateend", this.#onUpdateEnd);
    this.#buffer = null;
    this.#queue = [];
    this.#seekedAtMs = Number.NEGATIVE_INFINITY;
    this.#times.clear();
  }

  #configure(init: NonNullable<MediaSegment["init"]>): void {
    if (!MediaSource.isTypeSupported(mimeType(init.codec))) {
      this.#listener.unsupported(init.codec);
      return;
    }
    if (this.#init && this.#init.codec !== init.codec) this.#restart();
    this.#init = init;
    this.#queue.push(init.bytes);
    this.#waitsForKeyframe = true;
  }

  /** A new MediaSource from the next keyframe on: the way out of every decoder error and codec change. */
  #restart(): void {
    this.#shut();
    this.#waitsForKeyframe = true;
    this.#open();
  }

  #flush(): void {
    if (!this.#init || this.#mediaSource?.readyState !== "open") return;
    try {
      this.#buffer ??= this.#addBuffer(this.#mediaSource, this.#init.codec);
      if (this.#buffer.updating || this.#queue.length === 0) return;
      const batch = this.#queue.length === 1 ? (this.#queue[0] as Uint8Array) : join(this.#queue);
      this.#queue = [];
      this.#buffer.appendBuffer(batch as Uint8Array<ArrayBuffer>);
    } catch {
      this.#planRestart();
    }
  }

  #addBuffer(mediaSource: MediaSource, codec: string): SourceBuffer {
    const buffer = mediaSource.addSourceBuffer(mimeType(codec));
    buffer.mode = "segments";
    buffer.addEventListener("updateend", this.#onUpdateEnd);
    return buffer;
  }

  readonly #onUpdateEnd = (): void => {
    this.#stayLive();
    if (!this.#trim()) this.#flush();
  };

  #stayLive(): void {
    const { buffered, currentTime } = this.#video;
    if (buffered.length === 0) return;
    const action = latencyAction({
      currentTimeS: currentTime,
      bufferedEndS: buffered.end(buffered.length - 1),
      frameDurationMs: this.#frameDurationMs,
    });
    if (action.kind === "seek") this.#seek(action.toS);
    else if (this.#video.playbackRate !== action.playbackRate) this.#video.playbackRate = action.playbackRate;
    if (this.#video.paused) void this.#video.play().catch(() => undefined);
  }

  /** A seek decodes again from a keyframe: where the processor is the limit, seeking all the time makes it worse. */
  #seek(toS: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#seekedAtMs < SEEK_PAUSE_MS) return;
    this.#seekedAtMs = nowMs;
    this.#video.currentTime = toS;
  }

  /** Forgets what was played. Returns whether the buffer is busy with it now. */
  #trim(): boolean {
    const buffer = this.#buffer;
    const { currentTime } = this.#video;
    if (!buffer || buffer.updating || buffer.buffered.length === 0) return false;
    const startS = buffer.buffered.start(0);
    if (currentTime - startS < TRIM_ABOVE_S) return false;
    buffer.remove(startS, currentTime - KEPT_BEHIND_S);
    return true;
  }

  readonly #onVideoError = (): void => this.#planRestart();

  #planRestart(): void {
    if (this.#closed || this.#restartTimer) return;
    this.#shut();
    this.#waitsForKeyframe = true;
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = null;
      this.#open();
      if (this.#init) this.#queue.unshift(this.#init.bytes);
    }, RESTART_PAUSE_MS);
  }

  readonly #onFrame = (_nowMs: number, frame: VideoFrameCallbackMetadata): void => {
    if (this.#closed) return;
    this.#frameCallback = this.#video.requestVideoFrameCallback(this.#onFrame);
    this.#presentedFrames += 1;
    const capturedAtMs = this.#times.capturedAtMs(frame.mediaTime);
    if (capturedAtMs !== null) this.#listener.presented({ capturedAtMs, mediaTimeS: frame.mediaTime });
  };
}

function mimeType(codec: string): string {
  return `video/mp4; codecs="${codec}"`;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
