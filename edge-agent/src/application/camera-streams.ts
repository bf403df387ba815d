import type { StreamProfile } from "@huishi/contracts";
import type { BackoffOptions, Clock } from "@huishi/kernel";
import type { ChosenStream } from "../domain/camera-description.ts";
import type { CameraReporter } from "./camera-reporter.ts";
import type { FrameSource, Log, MediaLink } from "./ports.ts";
import { StreamRelay } from "./stream-relay.ts";

export interface CameraStreamsOptions {
  openSource(stream: ChosenStream): FrameSource;
  readonly link: MediaLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly retry: BackoffOptions;
  readonly reporter: CameraReporter;
}

/** The streams of one camera that run now: exactly those that are wanted, each opened once. */
export class CameraStreams {
  readonly #options: CameraStreamsOptions;
  readonly #relays = new Map<string, StreamRelay>();
  readonly #stopping = new Set<Promise<void>>();
  #offered: readonly ChosenStream[] = [];
  #wanted: readonly StreamProfile[] = [];
  #droppedBefore = 0;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: CameraStreamsOptions) {
    this.#options = options;
  }

  /** Units dropped for want of a connection or because it was slow. */
  get dropped(): number {
    let dropped = this.#droppedBefore;
    for (const relay of this.#relays.values()) dropped += relay.dropped;
    return dropped;
  }

  get areFlowing(): boolean {
    return [...this.#relays.values()].some((relay) => relay.isFlowing);
  }

  /** What the camera offers from now on; streams run at most until the signal aborts. */
  offer(streams: readonly ChosenStream[], signal: AbortSignal): void {
    this.#offered = streams;
    this.#signal = signal;
    this.#adjust();
  }

  want(profiles: readonly StreamProfile[]): void {
    this.#wanted = profiles;
    this.#adjust();
  }

  /** Resolves when no stream runs any longer. */
  async stop(): Promise<void> {
    for (const [url, relay] of this.#relays) this.#end(url, relay);
    await Promise.all(this.#stopping);
  }

  #adjust(): void {
    const { reporter } = this.#options;
    if (reporter.cameraId === null || this.#signal.aborted) return;
    const wanted = this.#wantedByUrl();
    for (const [url, relay] of this.#relays) {
      if (!wanted.has(url) || relay.hasEnded) this.#end(url, relay);
    }
    // A refused password is not tried again for every viewer.
    if (reporter.condition === "auth_failed") return;
    for (const [url, profiles] of wanted) {
      const running = this.#relays.get(url);
      if (running) running.setProfiles(profiles);
      else this.#relays.set(url, this.#start(reporter.cameraId, url, profiles));
    }
  }

  /** A camera with one stream serves both profiles from it. */
  #wantedByUrl(): Map<string, StreamProfile[]> {
    const byUrl = new Map<string, StreamProfile[]>();
    for (const profile of this.#wanted) {
      const stream = this.#offered.find((s) => s.profile === profile) ?? this.#offered[0];
      if (stream) byUrl.set(stream.url, [...(byUrl.get(stream.url) ?? []), profile]);
    }
    return byUrl;
  }

  #start(cameraId: string, url: string, profiles: readonly StreamProfile[]): StreamRelay {
    const { link, clock, log, retry, reporter } = this.#options;
    log.info({ cameraId, profiles }, "stream starts on demand");
    return new StreamRelay(
      {
        cameraId,
        source: this.#options.openSource(this.#offered.find((s) => s.url === url) as ChosenStream),
        link,
        clock,
        signal: this.#signal,
        events: {
          onFlowing: () => reporter.streamFlows(url),
          onStopped: (error) => reporter.streamFault(url, error),
        },
        retry: {
          ...retry,
          healthyAfterMs: 30_000,
          onFailure: ({ error, retryDelayMs }) =>
            log.warn({ cameraId, profiles, err: error, retryDelayMs }, "stream interrupted"),
        },
      },
      profiles,
    );
  }

  #end(url: string, relay: StreamRelay): void {
    this.#droppedBefore += relay.dropped;
    this.#relays.delete(url);
    this.#options.reporter.streamEnded(url);
    const stopping = relay.stop().finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }
}
