/** The child's side: decoders and analyses of its cameras, and the one detector that they share. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { HuishiError, messageOf } from "@huishi/kernel";
import type { Detector } from "../../application/detector.ts";
import { InferenceBudget, InferenceCredit } from "../../domain/index.ts";
import { type DecodedFrame, FrameDecoder } from "../ffmpeg/index.ts";
import { FrameAnalysis } from "./frame-analysis.ts";
import { FrameRing } from "./frame-ring.ts";
import { encodeJpeg } from "./jpeg.ts";
import type { FeedSettings, ToChild, ToParent } from "./messages.ts";
import { PendingFrames } from "./pending-frames.ts";

/** Snapshots are asked for by rules right after the frame: three seconds are plenty, at 5 frames a second 15 frames. */
const SNAPSHOTS = { keptMs: 3_000, maxFrames: 16 };

/** Frames of a camera that may wait: at 5 frames a second, no result is later than about 0.6 s. */
const PENDING_FRAMES = 3;

interface Feed {
  readonly id: number;
  readonly decoder: FrameDecoder;
  readonly analysis: FrameAnalysis;
  readonly ring: FrameRing;
}

interface Waiting {
  readonly frame: DecodedFrame;
  readonly sinceMs: number;
}

export class InferenceWorker {
  readonly #detector: Detector;
  readonly #send: (message: ToParent) => void;
  readonly #feeds = new Map<number, Feed>();
  readonly #waiting = new PendingFrames<Feed, Waiting>(PENDING_FRAMES);
  readonly #budget = new InferenceBudget();
  #working: Promise<void> | null = null;
  #stopped = false;

  constructor(detector: Detector, send: (message: ToParent) => void) {
    this.#detector = detector;
    this.#send = send;
  }

  receive(message: Exclude<ToChild, { type: "stop" }>): void {
    switch (message.type) {
      case "open":
        this.#open(message.feedId, message.settings);
        return;
      case "close":
        void this.#close(message.feedId);
        return;
      case "watch":
        this.#feeds.get(message.feedId)?.analysis.watch(message.watch);
        return;
      case "unit":
        this.#feeds.get(message.feedId)?.decoder.push(message.unit, message.sentAtMs);
        return;
      case "snapshot":
        void this.#snapshot(message);
    }
  }

  /** Takes no more frames and resolves when the inference in flight, if any, is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#feeds.keys()].map((feedId) => this.#close(feedId)));
    await this.#working;
    await this.#detector.close();
  }

  #open(feedId: number, settings: FeedSettings): void {
    if (this.#stopped) return;
    const drop = (reason: string, count: number): void => this.#send({ type: "drop", feedId, reason, count });
    const feed: Feed = {
      id: feedId,
      analysis: new FrameAnalysis(settings, this.#detector, new InferenceCredit(this.#budget)),
      ring: new FrameRing(SNAPSHOTS),
      decoder: new FrameDecoder({
        name: settings.cameraId,
        sampleFps: settings.sampleFps,
        onFrame: (frame) => {
          const superseded = this.#waiting.put(feed, { frame, sinceMs: performance.now() });
          if (superseded) {
            feed.decoder.recycle(superseded.frame);
            drop("superseded", 1);
          }
          this.#wake();
        },
        onDrop: drop,
        onFault: ({ code, message }) => this.#send({ type: "fault", feedId, code, message }),
      }),
    };
    this.#feeds.set(feedId, feed);
  }

  async #close(feedId: number): Promise<void> {
    const feed = this.#feeds.get(feedId);
    if (!feed) return;
    this.#feeds.delete(feedId);
    this.#waiting.delete(feed);
    await feed.decoder.close();
  }

  #wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.take(); next && !this.#stopped; next = this.#waiting.take()) {
      await this.#analyse(next.key, next.frame);
      // Lets pictures and messages in between two inferences.
      await nextTurn();
    }
  }

  async #analyse(feed: Feed, { frame, sinceMs }: Waiting): Promise<void> {
    // Whoever asked for one of these as a snapshot has a copy.
    for (const gone of feed.ring.push(frame)) feed.decoder.recycle(gone);
    const startedMs = performance.now();
    const waitedMs = startedMs - sinceMs;
    try {
      const result = await feed.analysis.analyse(frame, waitedMs);
      const atMs = performance.now();
      this.#budget.spent({ busyMs: atMs - startedMs, waitedMs, atMs });
      if (this.#feeds.get(feed.id) === feed) this.#send({ type: "frame", feedId: feed.id, result });
    } catch (error) {
      const code = error instanceof HuishiError ? error.code : "ANALYSIS_FAILED";
      this.#send({ type: "drop", feedId: feed.id, reason: "analysis_failed", count: 1 });
      this.#send({ type: "fault", feedId: feed.id, code, message: messageOf(error) });
    }
  }

  async #snapshot({
    feedId,
    requestId,
    capturedAtMs,
  }: Extract<ToChild, { type: "snapshot" }>): Promise<void> {
    const frame = this.#feeds.get(feedId)?.ring.find(capturedAtMs);
    let jpeg: Uint8Array | null = null;
    try {
      if (frame) jpeg = await encodeJpeg(frame);
    } catch (error) {
      this.#send({ type: "fault", feedId, code: "SNAPSHOT_FAILED", message: messageOf(error) });
    }
    this.#send({ type: "snapshot", requestId, jpeg });
  }
}
