import { type BackoffOptions, backoffDelayMs, sleep, supervise } from "@huishi/kernel";
import { type CameraDescription, type ChosenStream, chooseStreams } from "../domain/camera-description.ts";
import type { ConditionChange } from "../domain/camera-health.ts";
import { EdgeError, edgeFaultCode, isSignInFault } from "../domain/faults.ts";
import { CameraReporter, type CameraReporterOptions } from "./camera-reporter.ts";
import {
  CameraStreams,
  type CameraStreamsOptions,
  type RunningStream,
  type Wanted,
} from "./camera-streams.ts";
import type { CameraDevice, StreamTap } from "./ports.ts";

export interface CameraTimings {
  /** Pause between two checks of a camera whose stream is not held. Two misses and both time-outs fit in 10 s. */
  readonly healthIntervalMs: number;
  /** A check that takes longer is a miss; after one the next comes soon. */
  readonly checkTimeoutMs?: number;
  /** How often the clock of a camera whose frames flow is read. */
  readonly clockIntervalMs?: number;
  /** How long a refused password rests before it is tried again. */
  readonly authRetryMs: number;
  readonly retry: BackoffOptions;
}

export const DEFAULT_CAMERA_TIMINGS: CameraTimings = {
  healthIntervalMs: 3_000,
  checkTimeoutMs: 3_000,
  clockIntervalMs: 300_000,
  authRetryMs: 3_600_000,
  retry: { baseDelayMs: 1_000, maxDelayMs: 30_000 },
};

const DEFAULT_CHECK_TIMEOUT_MS = 3_000;
const DEFAULT_CLOCK_INTERVAL_MS = 300_000;
/** Pause after a check that missed. */
const RECHECK_MS = 500;
/** After this many failed attempts a camera that never answered is reported all the same. */
const FAILURES_BEFORE_REPORT = 3;
/** A camera that has said nothing of use for this long is reported, whatever attempt still waits. */
const FIRST_WORD_MS = 8_000;
/** Stands for all streams of a camera that has none of use. */
const NO_STREAM = "none";

export interface CameraKeeperOptions
  extends CameraReporterOptions, Omit<CameraStreamsOptions, "reporter" | "retry"> {
  readonly device: CameraDevice;
  /** Gives the camera its lasting id; without a description, from its address alone. */
  identify(description: CameraDescription | null): Promise<{ id: string; isNew: boolean }>;
  readonly timings: CameraTimings;
  /** Called when the camera got its id: demands may have come before it. */
  onIdentified(cameraId: string): void;
}

/** One camera as the agent knows it now. */
export interface CameraStanding {
  /** null until it was identified. */
  readonly id: string | null;
  readonly name: string | null;
  /** Without credentials. */
  readonly address: string;
  readonly condition: ConditionChange["condition"] | null;
  readonly code: string | null;
  readonly sinceMs: number | null;
  readonly faults: ConditionChange["faults"];
  readonly clockOffsetMs: number | null;
  /** Pictures dropped on the way to the centre. */
  readonly dropped: number;
  readonly offered: readonly ChosenStream[];
  readonly running: readonly RunningStream[];
}

/** Looks after one camera: describes it, watches its health and motion, and sends its streams on demand. */
export class CameraKeeper {
  readonly #options: CameraKeeperOptions;
  readonly #reporter: CameraReporter;
  readonly #streams: CameraStreams;

  constructor(options: CameraKeeperOptions) {
    this.#options = options;
    this.#reporter = new CameraReporter(options);
    this.#streams = new CameraStreams({
      openSource: (stream) => options.openSource(stream),
      link: options.link,
      budget: options.budget,
      clock: options.clock,
      log: options.log,
      retry: options.timings.retry,
      reporter: this.#reporter,
    });
  }

  get cameraId(): string | null {
    return this.#reporter.cameraId;
  }

  get mediaDropped(): number {
    return this.#streams.dropped;
  }

  /** What is known of the camera now. */
  describe(): CameraStanding {
    const standing = this.#reporter.standing;
    return {
      id: this.cameraId,
      name: this.#reporter.name,
      address: this.#options.device.address,
      condition: standing?.condition ?? null,
      code: standing?.code ?? null,
      sinceMs: standing?.sinceMs ?? null,
      faults: standing?.faults ?? null,
      clockOffsetMs: this.#reporter.clockOffsetMs,
      dropped: this.#streams.dropped,
      offered: this.#streams.offered,
      running: this.#streams.statistics(),
    };
  }

  /** Starts and stops streams so that exactly the wanted ones run. */
  setWanted(wanted: Wanted): void {
    this.#streams.want(wanted);
  }

  /** The camera's streams, for whoever shares them. */
  get tap(): StreamTap {
    return this.#streams;
  }

  /** Looks after the camera until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const description = await this.#describeUntilDone(signal);
        const session = new AbortController();
        const motion = description.hasMotionEvents
          ? this.#watchMotion(session, AbortSignal.any([signal, session.signal]))
          : Promise.resolve();
        try {
          await this.#watchHealth(description, signal);
        } finally {
          session.abort(new Error("the camera is read again"));
          await motion;
        }
      }
    } finally {
      await this.#streams.stop();
    }
  }

  async #describeUntilDone(signal: AbortSignal): Promise<CameraDescription> {
    const overdue = setTimeout(() => void this.#reportSilence(), FIRST_WORD_MS);
    try {
      return await this.#tryToDescribe(signal);
    } finally {
      clearTimeout(overdue);
    }
  }

  /** An attempt may wait long for a camera that accepts a connection and says nothing. */
  async #reportSilence(): Promise<void> {
    if (this.#reporter.condition !== null && this.#reporter.condition !== "online") return;
    const { address } = this.#options.device;
    await this.#reportFailure(
      new EdgeError("CAMERA_UNREACHABLE", `the camera at ${address} does not answer (nothing in time)`),
    );
  }

  async #tryToDescribe(signal: AbortSignal): Promise<CameraDescription> {
    const { device, timings, log } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        const description = await device.describe(signal);
        await this.#adopt(description, signal);
        return description;
      } catch (error) {
        signal.throwIfAborted();
        const isRefused = isSignInFault(edgeFaultCode(error));
        const delayMs = isRefused ? timings.authRetryMs : backoffDelayMs(attempt, timings.retry, Math.random);
        log.warn(
          { cameraId: this.cameraId, address: device.address, err: error, retryDelayMs: delayMs },
          "camera cannot be read",
        );
        if (isRefused || attempt + 1 >= FAILURES_BEFORE_REPORT || this.cameraId !== null) {
          await this.#reportFailure(error);
        }
        await sleep(delayMs, signal);
      }
    }
  }

  async #adopt(description: CameraDescription, signal: AbortSignal): Promise<void> {
    const streams = chooseStreams(description.streams);
    const { id } = await this.#options.identify(description);
    this.#reporter.inventory(id, description, streams);
    this.#options.onIdentified(id);
    if (streams.length === 0) {
      throw new EdgeError("CAMERA_NO_H264", "the camera offers no H.264 stream", {
        details: { codecs: description.streams.map((stream) => stream.codec) },
      });
    }
    this.#reporter.streamEnded(NO_STREAM);
    this.#reporter.answered();
    this.#streams.offer(streams, signal);
  }

  async #reportFailure(error: unknown): Promise<void> {
    if (this.cameraId === null) await this.#introduce();
    const code = edgeFaultCode(error);
    if (code === "CAMERA_NO_H264") {
      this.#reporter.answered();
      this.#reporter.streamFault(NO_STREAM, error);
      return;
    }
    this.#reporter.fault(error);
    // Two misses make a camera unreachable; several attempts to read it have failed already.
    if (!isSignInFault(code)) this.#reporter.fault(error);
  }

  /** A camera that could not be read yet is shown with its address; one the centre knows keeps its record. */
  async #introduce(): Promise<void> {
    const { id, isNew } = await this.#options.identify(null);
    if (isNew) {
      const bare = { address: this.#options.device.address, streams: [], ptz: false, hasMotionEvents: false };
      this.#reporter.inventory(id, bare, []);
    } else {
      this.#reporter.identified(id);
    }
    this.#options.onIdentified(id);
  }

  async #watchHealth(description: CameraDescription, signal: AbortSignal): Promise<void> {
    const { timings, clock } = this.#options;
    const { clockIntervalMs = DEFAULT_CLOCK_INTERVAL_MS, healthIntervalMs } = timings;
    let checkedAtMs = clock.nowMs();
    let hasMissed = false;
    for (;;) {
      await sleep(hasMissed ? Math.min(RECHECK_MS, healthIntervalMs) : healthIntervalMs, signal);
      if (this.#reporter.condition === "auth_failed") return sleep(timings.authRetryMs, signal);
      // Frames that flow are proof enough of life; the clock is read all the same, now and then.
      const isFlowing = this.#streams.areFlowing;
      if (isFlowing && clock.nowMs() - checkedAtMs < clockIntervalMs) continue;
      checkedAtMs = clock.nowMs();
      const fault = await this.#check(description, signal);
      hasMissed = fault !== null && !isFlowing;
      if (!hasMissed) continue;
      this.#reporter.fault(fault);
      // It may come back as another device or with other streams: read it again.
      if (this.#reporter.condition === "unreachable") return;
    }
  }

  /** One check within its time; null when the camera answered. */
  async #check(description: CameraDescription, signal: AbortSignal): Promise<unknown> {
    const { device, timings } = this.#options;
    const limit = AbortSignal.any([
      signal,
      AbortSignal.timeout(timings.checkTimeoutMs ?? DEFAULT_CHECK_TIMEOUT_MS),
    ]);
    try {
      const { clockOffsetMs } = await device.checkHealth(description, limit);
      this.#reporter.answered(clockOffsetMs);
      return null;
    } catch (error) {
      signal.throwIfAborted();
      return error ?? new Error("the check failed");
    }
  }

  async #watchMotion(session: AbortController, signal: AbortSignal): Promise<void> {
    const { device, log } = this.#options;
    const run = (s: AbortSignal): Promise<void> =>
      device.watchMotion(
        (active, atMs) => this.#reporter.motion(active, atMs),
        s,
        (event) => this.#reporter.sideEvent(event),
      );
    await supervise({ name: "camera's motion events", run }, signal, {
      baseDelayMs: 2_000,
      maxDelayMs: 120_000,
      healthyAfterMs: 60_000,
      onFailure: ({ error, retryDelayMs }) => {
        log.info({ cameraId: this.cameraId, err: error, retryDelayMs }, "motion events interrupted");
        if (!isSignInFault(edgeFaultCode(error))) return;
        this.#reporter.fault(error);
        session.abort(error);
      },
    });
  }
}
