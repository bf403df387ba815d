import type { AccessUnit, ObjectClass } from "@huishi/contracts";
import type { CameraFeed, FeedOptions } from "../../application/ports.ts";
import type { BackgroundWatch } from "../../domain/index.ts";
import type { FeedSettings, FrameResult, ToChild } from "./messages.ts";

/** What an inference result carries beyond what the application asks for. */
export interface InferenceResult extends FrameResult {
  readonly session: number;
}

export interface InferenceFeedOptions
  extends Omit<FeedOptions, "onFrame">, Omit<FeedSettings, "cameraId" | "sampleFps" | "keyframesOnly"> {
  readonly onFrame: (frame: InferenceResult) => void;
}

/** The way from a feed to its process. */
export interface FeedChannel {
  /** Empty before the process is ready. */
  readonly classes: readonly ObjectClass[];
  /** Returns false when the process cannot take the message now. */
  send(message: ToChild): boolean;
  snapshot(feedId: number, capturedAtMs: number): Promise<Uint8Array | null>;
  release(feed: InferenceFeed): Promise<void>;
}

/** Parent's side of one camera. */
export class InferenceFeed implements CameraFeed {
  readonly id: number;
  readonly options: InferenceFeedOptions;
  readonly #channel: FeedChannel;
  /** After something was not sent, what follows is of no use before the next keyframe. */
  #skippingToKeyframe = true;
  #closed = false;
  #watch: BackgroundWatch | null;

  constructor(id: number, options: InferenceFeedOptions, channel: FeedChannel) {
    this.id = id;
    this.options = options;
    this.#channel = channel;
    this.#watch = options.watch ?? null;
  }

  get classes(): readonly ObjectClass[] {
    return this.#channel.classes;
  }

  get settings(): FeedSettings {
    const { cameraId, sampleFps, sampling, classes, motionGate } = this.options;
    return {
      cameraId,
      sampleFps,
      ...(sampling?.kind === "keyframes" && { keyframesOnly: true }),
      ...(classes && { classes }),
      ...(motionGate !== undefined && { motionGate }),
      ...(this.#watch && { watch: this.#watch }),
    };
  }

  push(unit: AccessUnit): void {
    if (this.#closed) return;
    if (unit.keyframe) this.#skippingToKeyframe = false;
    // Somebody else who watches may want all of it.
    else if (this.options.sampling?.kind === "keyframes") return;
    const message = { type: "unit", feedId: this.id, unit, sentAtMs: Date.now() } as const;
    if (!this.#skippingToKeyframe && this.#channel.send(message)) return;
    this.#skippingToKeyframe = true;
    this.options.onDrop("process_unavailable", 1);
  }

  /** A process that takes no message now is told with its settings when it starts again. */
  watch(watch: BackgroundWatch | null): void {
    this.#watch = watch;
    if (!this.#closed) this.#channel.send({ type: "watch", feedId: this.id, watch });
  }

  snapshot(capturedAtMs: number): Promise<Uint8Array | null> {
    return this.#closed ? Promise.resolve(null) : this.#channel.snapshot(this.id, capturedAtMs);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#channel.release(this);
  }
}
