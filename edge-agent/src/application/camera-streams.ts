import type { Sampling, StreamProfile } from "@huishi/contracts";
import type { BackoffOptions, Clock } from "@huishi/kernel";
import type { ChosenStream } from "../domain/camera-description.ts";
import { LiveGaps } from "../domain/live-gaps.ts";
import type { UplinkBudget } from "../domain/uplink-budget.ts";
import type { CameraReporter } from "./camera-reporter.ts";
import { LiveRelay } from "./live-relay.ts";
import type { FrameSource, Log, MediaLink, StreamConsumer, StreamPurpose, StreamTap } from "./ports.ts";
import { type Attachment, SharedStream, type StreamStatistics } from "./shared-stream.ts";

export interface CameraStreamsOptions {
  openSource(stream: ChosenStream): FrameSource;
  readonly link: MediaLink;
  /** The site's uplink, shared by all cameras. */
  readonly budget: UplinkBudget;
  readonly clock: Clock;
  readonly log: Log;
  readonly retry: BackoffOptions;
  readonly reporter: CameraReporter;
}

/** A stream that runs, with the profiles that it serves. */
export interface RunningStream {
  readonly profiles: readonly StreamProfile[];
  readonly statistics: StreamStatistics;
}

/** Which streams the centre wants, and how much of them. */
export type Wanted = ReadonlyMap<StreamProfile, Sampling>;

/**
 * The streams of one camera: each is opened once, however many share it. What is attached stays attached while the
 * camera is read anew or changes its streams.
 */
export class CameraStreams implements StreamTap {
  readonly #options: CameraStreamsOptions;
  readonly #attachments = new Map<Attachment, string | null>();
  readonly #shared = new Map<string, SharedStream>();
  readonly #stopping = new Set<Promise<void>>();
  readonly #live = new Map<StreamProfile, { relay: LiveRelay; detach: () => void }>();
  readonly #gaps = new Map<StreamProfile, LiveGaps>();
  #offered: readonly ChosenStream[] = [];
  #wanted: Wanted = new Map();
  #droppedBefore = 0;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: CameraStreamsOptions) {
    this.#options = options;
  }

  get cameraId(): string {
    return this.#options.reporter.cameraId ?? "";
  }

  /** Units dropped for want of a connection or because it was slow. */
  get dropped(): number {
    let dropped = this.#droppedBefore;
    for (const { relay } of this.#live.values()) dropped += relay.dropped;
    return dropped;
  }

  get areFlowing(): boolean {
    return [...this.#shared.values()].some((stream) => stream.isFlowing);
  }

  /** What the camera says that it offers. */
  get offered(): readonly ChosenStream[] {
    return this.#offered;
  }

  /** Of the running streams, by the profiles that they serve. */
  statistics(): RunningStream[] {
    return [...this.#shared].map(([url, stream]) => ({
      profiles: this.#offered.filter((offered) => offered.url === url).map(({ profile }) => profile),
      statistics: stream.statistics,
    }));
  }

  attach(profile: StreamProfile, purpose: StreamPurpose, consumer: StreamConsumer): () => void {
    const attachment: Attachment = { profile, purpose, consumer };
    this.#attachments.set(attachment, null);
    this.#bind();
    return () => {
      const url = this.#attachments.get(attachment);
      this.#attachments.delete(attachment);
      if (url !== null && url !== undefined) this.#shared.get(url)?.detach(attachment);
    };
  }

  /** What the camera offers from now on; streams run at most until the signal aborts. */
  offer(streams: readonly ChosenStream[], signal: AbortSignal): void {
    this.#offered = streams;
    this.#signal = signal;
    this.#adjustLive();
    this.#bind();
  }

  /** What the centre wants from now on. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#adjustLive();
    this.#bind();
  }

  /** Resolves when no stream runs any longer. */
  async stop(): Promise<void> {
    for (const stream of this.#shared.values()) this.#track(stream.stop());
    this.#shared.clear();
    for (const attachment of this.#attachments.keys()) this.#attachments.set(attachment, null);
    await Promise.all(this.#stopping);
  }

  #adjustLive(): void {
    if (this.#options.reporter.cameraId === null) return;
    for (const [profile, { relay, detach }] of this.#live) {
      const sampling = this.#wanted.get(profile);
      // Somebody looks where keyframes alone went so far: he is given the group that runs, by a relay that begins with it.
      const begins = sampling?.kind === "all" && !relay.takesGroup;
      if (sampling && !begins) continue;
      detach();
      this.#droppedBefore += relay.dropped;
      this.#live.delete(profile);
      this.#options.budget.forget(`${this.cameraId}/${profile}`);
      if (!begins) this.#gapsOf(profile).unwanted(this.#options.link.isConnected);
    }
    for (const [profile, sampling] of this.#wanted) {
      const live = this.#live.get(profile);
      if (live) live.relay.sampling = sampling;
      else this.#startLive(profile, sampling);
    }
  }

  #startLive(profile: StreamProfile, sampling: Sampling): void {
    const { link, log, reporter, budget, clock } = this.#options;
    const { cameraId } = this;
    log.info({ cameraId, profile, sampling }, "live stream starts on demand");
    const relay = new LiveRelay({
      cameraId,
      profile,
      sampling,
      link,
      budget,
      clock,
      gaps: this.#gapsOf(profile),
      onGap: (gap) => reporter.liveGap(profile, gap),
    });
    const purpose = sampling.kind === "all" ? "live" : "analysis";
    this.#live.set(profile, { relay, detach: this.attach(profile, purpose, relay) });
  }

  #gapsOf(profile: StreamProfile): LiveGaps {
    const known = this.#gaps.get(profile) ?? new LiveGaps();
    this.#gaps.set(profile, known);
    return known;
  }

  /** Brings every attachment to the stream that serves it. */
  #bind(): void {
    const { reporter } = this.#options;
    if (reporter.cameraId === null || this.#signal.aborted) return;
    // A refused password is not tried again for every viewer.
    if (reporter.condition === "auth_failed") return;
    for (const [attachment, current] of this.#attachments) {
      const url = this.#urlFor(attachment.profile);
      if (url === null || url === current) continue;
      if (current !== null) this.#shared.get(current)?.detach(attachment);
      this.#attachments.set(attachment, url);
      this.#sharedAt(url).attach(attachment);
    }
  }

  /** A camera with one stream serves both profiles from it. */
  #urlFor(profile: StreamProfile): string | null {
    return (this.#offered.find((stream) => stream.profile === profile) ?? this.#offered[0])?.url ?? null;
  }

  #sharedAt(url: string): SharedStream {
    const running = this.#shared.get(url);
    if (running && !running.hasEnded) return running;
    const stream = this.#start(url);
    this.#shared.set(url, stream);
    return stream;
  }

  #start(url: string): SharedStream {
    const { clock, log, retry, reporter } = this.#options;
    const { cameraId } = this;
    const stream: SharedStream = new SharedStream({
      cameraId,
      source: this.#options.openSource(this.#offered.find((s) => s.url === url) as ChosenStream),
      clock,
      log,
      signal: this.#signal,
      events: {
        onFlowing: () => reporter.streamFlows(url),
        onStopped: (error) => reporter.streamFault(url, error),
        onEnded: () => this.#ended(url, stream),
        onFailed: (attachment) => void this.#attachments.delete(attachment),
      },
      retry: {
        ...retry,
        healthyAfterMs: 30_000,
        onFailure: ({ error, retryDelayMs }) =>
          log.warn({ cameraId, err: error, retryDelayMs }, "stream interrupted"),
      },
    });
    return stream;
  }

  /** The stream is over: whoever is still attached waits for the camera to be read again. */
  #ended(url: string, stream: SharedStream): void {
    if (this.#shared.get(url) === stream) this.#shared.delete(url);
    for (const [attachment, current] of this.#attachments) {
      if (current === url) this.#attachments.set(attachment, null);
    }
    if (this.#options.reporter.condition !== "auth_failed") this.#options.reporter.streamEnded(url);
    this.#track(stream.stop());
  }

  #track(stopping: Promise<void>): void {
    const tracked: Promise<void> = stopping.finally(() => this.#stopping.delete(tracked));
    this.#stopping.add(tracked);
  }
}
