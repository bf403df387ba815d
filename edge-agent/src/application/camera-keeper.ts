import type { StreamProfile } from "@huishi/contracts";
import { type BackoffOptions, type Clock, backoffDelayMs, sleep, supervise } from "@huishi/kernel";
import { type CameraDescription, type ChosenStream, chooseStreams } from "../domain/camera-description.ts";
import { CameraHealth, type ConditionChange } from "../domain/camera-health.ts";
import { EdgeError, edgeFaultCode } from "../domain/faults.ts";
import { inventoryEvent } from "../domain/inventory.ts";
import type { EventRecorder } from "./outbox-relay.ts";
import type { CameraDevice, FrameSource, Log, MediaLink } from "./ports.ts";
import { StreamRelay } from "./stream-relay.ts";

export interface CameraTimings {
  readonly healthIntervalMs: number;
  /** How long a refused password rests before it is tried again. */
  readonly authRetryMs: number;
  readonly retry: BackoffOptions;
}

export const DEFAULT_CAMERA_TIMINGS: CameraTimings = {
  healthIntervalMs: 10_000,
  authRetryMs: 3_600_000,
  retry: { baseDelayMs: 1_000, maxDelayMs: 30_000 },
};

/** After this many failed attempts a camera that never answered is reported all the same. */
const FAILURES_BEFORE_REPORT = 3;

export interface CameraKeeperOptions {
  readonly device: CameraDevice;
  /** Gives the camera its lasting id; without a description, from its address alone. */
  identify(description: CameraDescription | null): Promise<string>;
  readonly name?: string;
  readonly note?: string;
  openSource(stream: ChosenStream): FrameSource;
  readonly recorder: EventRecorder;
  readonly link: MediaLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings: CameraTimings;
  /** Called when the camera got its id: demands may have come before it. */
  onIdentified(cameraId: string): void;
}

/** Looks after one camera: describes it, reports its health and motion, and sends its streams on demand. */
export class CameraKeeper {
  readonly #options: CameraKeeperOptions;
  readonly #health = new CameraHealth();
  readonly #relays = new Map<string, StreamRelay>();
  #cameraId: string | null = null;
  #streams: readonly ChosenStream[] = [];
  #wanted: readonly StreamProfile[] = [];
  #lastInventory = "";
  #clockOffsetMs: number | undefined;
  #droppedBefore = 0;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: CameraKeeperOptions) {
    this.#options = options;
  }

  get cameraId(): string | null {
    return this.#cameraId;
  }

  get mediaDropped(): number {
    let dropped = this.#droppedBefore;
    for (const relay of this.#relays.values()) dropped += relay.dropped;
    return dropped;
  }

  /** Looks after the camera until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    try {
      while (!signal.aborted) {
        const description = await this.#describeUntilDone(signal);
        const session = new AbortController();
        const sessionSignal = AbortSignal.any([signal, session.signal]);
        const motion = description.hasMotionEvents ? this.#watchMotion(sessionSignal) : Promise.resolve();
        await this.#watchHealth(description, signal).finally(() => session.abort(new Error("session over")));
        await motion;
      }
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.error({ cameraId: this.#cameraId, err: error }, "camera given up");
    } finally {
      await Promise.all([...this.#relays.values()].map((relay) => relay.stop()));
    }
  }

  /** Starts and stops streams so that exactly the wanted ones run. */
  setWanted(profiles: readonly StreamProfile[]): void {
    this.#wanted = profiles;
    this.#adjustRelays();
  }

  async #describeUntilDone(signal: AbortSignal): Promise<CameraDescription> {
    const { device, timings, log } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        const description = await device.describe(signal);
        await this.#adopt(description);
        return description;
      } catch (error) {
        signal.throwIfAborted();
        const isRefused = edgeFaultCode(error) === "CAMERA_AUTH_FAILED";
        const delayMs = isRefused ? timings.authRetryMs : backoffDelayMs(attempt, timings.retry, Math.random);
        log.warn(
          { cameraId: this.#cameraId, address: device.address, err: error, retryDelayMs: delayMs },
          "camera cannot be read",
        );
        if (isRefused || attempt + 1 >= FAILURES_BEFORE_REPORT || this.#cameraId !== null) {
          await this.#reportFailure(error);
        }
        await sleep(delayMs, signal);
      }
    }
  }

  async #reportFailure(error: unknown): Promise<void> {
    if (this.#cameraId === null) {
      this.#setId(await this.#options.identify(null));
      this.#recordInventory(null);
    }
    if (edgeFaultCode(error) === "CAMERA_NO_H264") {
      this.#health.answered();
      this.#report(this.#health.framesStopped("any", "CAMERA_NO_H264"));
      return;
    }
    this.#noteFault(error);
    // Two misses make a camera unreachable; several attempts to describe it have failed already.
    if (edgeFaultCode(error) !== "CAMERA_AUTH_FAILED") this.#noteFault(error);
  }

  async #adopt(description: CameraDescription): Promise<void> {
    this.#streams = chooseStreams(description.streams);
    this.#setId(await this.#options.identify(description));
    this.#recordInventory(description);
    this.#clockOffsetMs = description.clockOffsetMs;
    if (this.#streams.length === 0) {
      throw new EdgeError("CAMERA_NO_H264", "the camera offers no H.264 stream", {
        details: { codecs: description.streams.map((stream) => stream.codec) },
      });
    }
    this.#health.streamEnded("any");
    this.#report(this.#health.answered());
    this.#adjustRelays();
  }

  #setId(cameraId: string): void {
    if (this.#cameraId === cameraId) return;
    this.#cameraId = cameraId;
    this.#options.onIdentified(cameraId);
  }

  async #watchHealth(description: CameraDescription, signal: AbortSignal): Promise<void> {
    const { device, timings } = this.#options;
    for (;;) {
      await sleep(timings.healthIntervalMs, signal);
      if (this.#health.current?.condition === "auth_failed") {
        await this.#restAfterRefusal(signal);
        return;
      }
      // Frames that flow are proof enough.
      if ([...this.#relays.values()].some((relay) => relay.isFlowing)) continue;
      try {
        const { clockOffsetMs } = await device.checkHealth(description, signal);
        this.#clockOffsetMs = clockOffsetMs ?? this.#clockOffsetMs;
        this.#report(this.#health.answered());
      } catch (error) {
        signal.throwIfAborted();
        this.#noteFault(error);
        // It may come back as another device or with other streams: read it again.
        if (this.#health.current?.condition === "unreachable") return;
      }
    }
  }

  async #restAfterRefusal(signal: AbortSignal): Promise<void> {
    await sleep(this.#options.timings.authRetryMs, signal);
    for (const [url, relay] of this.#relays) if (relay.hasEnded) this.#forget(url, relay);
  }

  async #watchMotion(signal: AbortSignal): Promise<void> {
    const { device, recorder, log } = this.#options;
    const run = (s: AbortSignal): Promise<void> =>
      device.watchMotion((active, capturedAtMs) => {
        if (this.#cameraId !== null) {
          recorder.record({ type: "camera_motion", cameraId: this.#cameraId, active, capturedAtMs });
        }
      }, s);
    await supervise({ name: "camera's motion events", run }, signal, {
      baseDelayMs: 2_000,
      maxDelayMs: 120_000,
      healthyAfterMs: 60_000,
      onFailure: ({ error, retryDelayMs }) =>
        log.info({ cameraId: this.#cameraId, err: error, retryDelayMs }, "motion events interrupted"),
    });
  }

  #adjustRelays(): void {
    if (this.#cameraId === null || this.#signal.aborted) return;
    const profilesByUrl = new Map<string, StreamProfile[]>();
    for (const profile of this.#wanted) {
      const stream = this.#streams.find((s) => s.profile === profile) ?? this.#streams[0];
      if (stream) profilesByUrl.set(stream.url, [...(profilesByUrl.get(stream.url) ?? []), profile]);
    }
    for (const [url, relay] of this.#relays) {
      if (!profilesByUrl.has(url)) this.#forget(url, relay);
    }
    if (this.#health.current?.condition === "auth_failed") return;
    for (const [url, profiles] of profilesByUrl) {
      const running = this.#relays.get(url);
      if (running) running.setProfiles(profiles);
      else this.#relays.set(url, this.#startRelay(url, profiles));
    }
  }

  #forget(url: string, relay: StreamRelay): void {
    this.#droppedBefore += relay.dropped;
    this.#relays.delete(url);
    this.#report(this.#health.streamEnded(url));
    void relay.stop();
  }

  #startRelay(url: string, profiles: readonly StreamProfile[]): StreamRelay {
    const { link, clock, log, timings } = this.#options;
    const cameraId = this.#cameraId as string;
    const stream = this.#streams.find((s) => s.url === url) as ChosenStream;
    log.info({ cameraId, profiles }, "stream starts on demand");
    return new StreamRelay(
      {
        cameraId,
        source: this.#options.openSource(stream),
        link,
        clock,
        signal: this.#signal,
        events: {
          onFlowing: () => this.#report(this.#health.framesFlow(url)),
          onStopped: (error) => this.#noteStreamFault(url, error),
        },
        retry: {
          ...timings.retry,
          healthyAfterMs: 30_000,
          onFailure: ({ error, retryDelayMs }) =>
            log.warn({ cameraId, profiles, err: error, retryDelayMs }, "stream interrupted"),
        },
      },
      profiles,
    );
  }

  #noteStreamFault(url: string, error: unknown): void {
    const code = edgeFaultCode(error) ?? "RTSP_STREAM_ENDED";
    if (code === "CAMERA_UNREACHABLE") {
      this.#health.framesStopped(url, code);
      this.#noteFault(error);
    } else {
      if (code === "CAMERA_AUTH_FAILED") this.#noteFault(error);
      this.#report(this.#health.framesStopped(url, code));
    }
  }

  #noteFault(error: unknown): void {
    const code = edgeFaultCode(error) ?? "CAMERA_UNREACHABLE";
    this.#report(
      code === "CAMERA_AUTH_FAILED" ? this.#health.refusedSignIn(code) : this.#health.missed(code),
    );
  }

  #report(change: ConditionChange | null): void {
    if (!change || this.#cameraId === null) return;
    const { recorder, clock, log } = this.#options;
    log.info({ cameraId: this.#cameraId, ...change }, "camera condition");
    recorder.record({
      type: "camera_health",
      cameraId: this.#cameraId,
      capturedAtMs: clock.nowMs(),
      condition: change.condition,
      ...(change.code === null ? {} : { code: change.code }),
      ...(this.#clockOffsetMs === undefined ? {} : { clockOffsetMs: this.#clockOffsetMs }),
    });
  }

  #recordInventory(description: CameraDescription | null): void {
    const { recorder, clock, name, note, device } = this.#options;
    const event = inventoryEvent({
      cameraId: this.#cameraId as string,
      capturedAtMs: clock.nowMs(),
      description: description ?? {
        address: device.address,
        streams: [],
        ptz: false,
        hasMotionEvents: false,
      },
      streams: this.#streams,
      ...(name === undefined ? {} : { name }),
      ...(note === undefined ? {} : { note }),
    });
    const fingerprint = JSON.stringify({ ...event, capturedAtMs: 0 });
    if (fingerprint === this.#lastInventory) return;
    this.#lastInventory = fingerprint;
    recorder.record(event);
  }
}
