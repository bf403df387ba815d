import type { StreamProfile } from "@huishi/contracts";
import { type Clock, type SuperviseOptions, supervise } from "@huishi/kernel";
import { CaptureClock } from "../domain/capture-clock.ts";
import { edgeFaultCode } from "../domain/faults.ts";
import { GopCache } from "../domain/gop-cache.ts";
import type { CapturedUnit, FrameSource, Log, SourceUnit, StreamConsumer, StreamPurpose } from "./ports.ts";

/** The upstream connection goes on so long after its last consumer, so that a change of consumers costs no reconnect. */
const STREAM_LINGER_MS = 2_000;

/** What a shared stream tells of its source. */
interface SourceEvents {
  onFlowing(): void;
  onStopped(error: unknown): void;
  /** It ended: the camera refused the account, or nobody is left. */
  onEnded(): void;
  /** A consumer failed and is given nothing any more. */
  onFailed(attachment: Attachment): void;
}

export interface SharedStreamOptions {
  readonly cameraId: string;
  readonly source: FrameSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: SourceEvents;
  readonly retry: SuperviseOptions;
  /** The camera is given up when it aborts. */
  readonly signal: AbortSignal;
  readonly lingerMs?: number;
}

/** What ran through a stream since it was opened. */
export interface StreamStatistics {
  readonly pictures: number;
  readonly keyframes: number;
  readonly bytes: number;
  readonly connections: number;
  readonly consumers: readonly StreamPurpose[];
  readonly isFlowing: boolean;
  /** Agent clock; null before the first picture. */
  readonly lastPictureAtMs: number | null;
}

/** Who shares a stream. */
export interface Attachment {
  readonly profile: StreamProfile;
  readonly purpose: StreamPurpose;
  readonly consumer: StreamConsumer;
}

/**
 * One upstream connection of one camera, shared by everybody who attaches: opened by the first, closed a linger after
 * the last. A consumer that throws is detached; the others never notice.
 */
export class SharedStream {
  readonly #options: SharedStreamOptions;
  readonly #attachments = new Set<Attachment>();
  readonly #cache = new GopCache<CapturedUnit>();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #captureClock = new CaptureClock();
  #unitNumber = 0;
  #isFlowing = false;
  #linger: NodeJS.Timeout | null = null;
  #lastPictureAtMs: number | null = null;
  #statistics = { pictures: 0, keyframes: 0, bytes: 0, connections: 0 };

  constructor(options: SharedStreamOptions) {
    this.#options = options;
    const signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#done = supervise({ name: `stream of ${options.cameraId}`, run: (s) => this.#runOnce(s) }, signal, {
      ...options.retry,
      onFailure: (failure) => {
        this.#interrupted(failure.error);
        options.retry.onFailure?.(failure);
        if (edgeFaultCode(failure.error) === "CAMERA_AUTH_FAILED") this.#end(failure.error);
      },
    }).finally(() => this.#interrupted(new Error("the stream was closed")));
  }

  get isFlowing(): boolean {
    return this.#isFlowing;
  }

  /** True when it will give nothing any more. */
  get hasEnded(): boolean {
    return this.#stop.signal.aborted;
  }

  get statistics(): StreamStatistics {
    const consumers = [...this.#attachments].map(({ purpose }) => purpose);
    return {
      ...this.#statistics,
      consumers,
      isFlowing: this.#isFlowing,
      lastPictureAtMs: this.#lastPictureAtMs,
    };
  }

  attach(attachment: Attachment): void {
    if (this.#linger) clearTimeout(this.#linger);
    this.#linger = null;
    this.#attachments.add(attachment);
    for (const unit of this.#cache.units) {
      if (!this.#attachments.has(attachment)) return;
      this.#give(attachment, unit);
    }
  }

  detach(attachment: Attachment): void {
    if (!this.#attachments.delete(attachment) || this.#attachments.size > 0 || this.hasEnded) return;
    const lingerMs = this.#options.lingerMs ?? STREAM_LINGER_MS;
    this.#linger = setTimeout(() => this.#end(new Error("nobody wants the stream")), lingerMs);
  }

  async stop(): Promise<void> {
    this.#end(new Error("the camera's streams are stopped"));
    await this.#done;
  }

  #end(reason: unknown): void {
    if (this.#linger) clearTimeout(this.#linger);
    this.#linger = null;
    if (this.hasEnded) return;
    this.#stop.abort(reason);
    this.#cache.clear();
    this.#options.events.onEnded();
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    this.#captureClock = new CaptureClock();
    this.#unitNumber = 0;
    this.#cache.clear();
    this.#statistics.connections += 1;
    await this.#options.source.run(signal, (units) => this.#take(units));
  }

  #take(units: readonly SourceUnit[]): void {
    if (this.hasEnded || units.length === 0) return;
    const times = this.#captureClock.capture(
      units.map((unit) => unit.ptsMs),
      this.#options.clock.nowMs(),
    );
    units.forEach((unit, i) => {
      const captured: CapturedUnit = {
        ...unit,
        capturedAtMs: times[i] as number,
        unitNumber: this.#unitNumber++,
      };
      this.#count(captured);
      this.#cache.push(captured);
      for (const attachment of this.#attachments) this.#give(attachment, captured);
    });
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    this.#options.events.onFlowing();
  }

  #count(unit: CapturedUnit): void {
    this.#lastPictureAtMs = unit.capturedAtMs;
    this.#statistics.pictures += 1;
    this.#statistics.bytes += unit.annexB.byteLength;
    if (unit.keyframe) this.#statistics.keyframes += 1;
  }

  #interrupted(error: unknown): void {
    const atMs = this.#options.clock.nowMs();
    this.#isFlowing = false;
    for (const attachment of this.#attachments) {
      this.#guard(attachment, () => attachment.consumer.onInterrupted?.(atMs, error));
    }
    // An agent that stops has no fault to tell.
    if (!this.hasEnded && !this.#options.signal.aborted) this.#options.events.onStopped(error);
  }

  #give(attachment: Attachment, unit: CapturedUnit): void {
    this.#guard(attachment, () => attachment.consumer.onUnit(unit));
  }

  #guard(attachment: Attachment, work: () => void): void {
    try {
      work();
    } catch (err) {
      const { cameraId, log } = this.#options;
      log.error(
        { cameraId, purpose: attachment.purpose, err },
        "a consumer of a stream failed and was detached",
      );
      this.detach(attachment);
      this.#options.events.onFailed(attachment);
    }
  }
}
