import type { StreamProfile } from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import type { CameraDescription, ChosenStream } from "../domain/camera-description.ts";
import { CameraHealth, type ConditionChange } from "../domain/camera-health.ts";
import type { LiveGap } from "../domain/live-gaps.ts";
import { edgeFaultCode, isSignInFault } from "../domain/faults.ts";
import { ClockJudge } from "../domain/clock-judge.ts";
import { inventoryEvent } from "../domain/inventory.ts";
import type { CameraFindings, FindingsBoard } from "./camera-findings.ts";
import type { EventRecorder } from "./outbox-relay.ts";
import type { CameraSideEvent, Log } from "./ports.ts";

export interface CameraReporterOptions {
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  /** What a person called the camera, and noted of it. */
  readonly name?: string;
  readonly note?: string;
  /** WS-Addressing endpoint, where discovery found the camera. */
  readonly endpoint?: string;
  /** Where the picture watch's findings lie. */
  readonly findings?: FindingsBoard;
}

/** The picture watch among the streams that say whether pictures come. */
const WATCHED_STREAM = "watched";

/** Turns what is learnt of one camera into its events: device record, condition, motion; each change once. */
export class CameraReporter {
  readonly #options: CameraReporterOptions;
  readonly #health = new CameraHealth();
  #cameraId: string | null = null;
  #lastInventory = "";
  #clockOffsetMs: number | undefined;
  readonly #clockJudge = new ClockJudge();
  #name: string | null = null;
  #sinceMs: number | null = null;

  constructor(options: CameraReporterOptions) {
    this.#options = options;
  }

  /** Null until the camera has its id: before that nothing is reported. */
  get cameraId(): string | null {
    return this.#cameraId;
  }

  get condition(): ConditionChange["condition"] | null {
    return this.#health.current?.condition ?? null;
  }

  /** What the camera is called; null until it was described. */
  get name(): string | null {
    return this.#name ?? this.#options.name ?? null;
  }

  /** Its condition, and since when (agent clock); null while nothing is known. */
  get standing(): (ConditionChange & { readonly sinceMs: number }) | null {
    const { current } = this.#health;
    return current && { ...current, sinceMs: this.#sinceMs ?? this.#options.clock.nowMs() };
  }

  /** Device clock minus agent clock. */
  get clockOffsetMs(): number | null {
    return this.#clockOffsetMs ?? null;
  }

  /** The camera's id, when the centre has its device record already. */
  identified(cameraId: string): void {
    this.#cameraId = cameraId;
    this.#options.findings?.listen(cameraId, this.#onFindings);
  }

  inventory(cameraId: string, description: CameraDescription, streams: readonly ChosenStream[]): void {
    const { recorder, clock, name, note, endpoint } = this.#options;
    this.identified(cameraId);
    this.#clockOffsetMs = description.clockOffsetMs;
    if (description.clockOffsetMs !== undefined) this.#judgeClock(description.clockOffsetMs);
    const event = inventoryEvent({
      cameraId,
      capturedAtMs: clock.nowMs(),
      description,
      streams,
      ...(name === undefined ? {} : { name }),
      ...(note === undefined ? {} : { note }),
      ...(endpoint === undefined ? {} : { endpoint }),
    });
    this.#name = event.name;
    const fingerprint = JSON.stringify({ ...event, capturedAtMs: 0 });
    if (fingerprint === this.#lastInventory) return;
    this.#lastInventory = fingerprint;
    recorder.record(event);
  }

  motion(active: boolean, capturedAtMs: number): void {
    if (this.#cameraId === null) return;
    this.#options.recorder.record({
      type: "camera_motion",
      cameraId: this.#cameraId,
      active,
      capturedAtMs,
    });
  }

  sideEvent({ atMs, ...event }: CameraSideEvent): void {
    if (this.#cameraId === null) return;
    this.#options.recorder.record({
      type: "camera_event",
      cameraId: this.#cameraId,
      capturedAtMs: atMs,
      ...event,
    });
  }

  answered(clockOffsetMs?: number): void {
    if (clockOffsetMs !== undefined) this.#judgeClock(clockOffsetMs);
    this.#clockOffsetMs = clockOffsetMs ?? this.#clockOffsetMs;
    this.#report(this.#health.answered());
  }

  /** A check or a sign-in failed. */
  fault(error: unknown): void {
    const code = edgeFaultCode(error) ?? "CAMERA_UNREACHABLE";
    this.#report(isSignInFault(code) ? this.#health.refusedSignIn(code) : this.#health.missed(code));
  }

  streamFlows(stream: string): void {
    this.#report(this.#health.framesFlow(stream));
  }

  streamFault(stream: string, error: unknown): void {
    const code = edgeFaultCode(error) ?? "RTSP_STREAM_ENDED";
    // In this order each change is told once, and the graver one alone where both change it.
    if (code === "CAMERA_UNREACHABLE" || code === "CAMERA_AUTH_FAILED") this.fault(error);
    this.#report(this.#health.framesStopped(stream, code));
  }

  /** The centre wanted a stream and did not get it for a while. */
  liveGap(profile: StreamProfile, gap: LiveGap): void {
    if (this.#cameraId === null) return;
    const { fromMs, toMs, reason } = gap;
    this.#options.recorder.record({
      type: "media_gap",
      cameraId: this.#cameraId,
      profile,
      of: "live",
      capturedAtMs: toMs,
      fromMs,
      toMs,
      reason,
    });
  }

  streamEnded(stream: string): void {
    this.#report(this.#health.streamEnded(stream));
  }

  readonly #onFindings = ({ faults, flowing }: CameraFindings): void => {
    if (flowing === null) {
      this.#report(this.#health.unknown("picture"));
      this.#report(this.#health.streamEnded(WATCHED_STREAM));
      return;
    }
    const flow = flowing
      ? this.#health.framesFlow(WATCHED_STREAM)
      : this.#health.framesStopped(WATCHED_STREAM, "RTSP_NO_FRAMES");
    // What holds in the end is told, and not the step to it.
    this.#report(this.#health.found("picture", faults) ?? flow);
  };

  #judgeClock(offsetMs: number): void {
    this.#clockJudge.observe(offsetMs, this.#options.clock.nowMs());
    const { sinceMs } = this.#clockJudge;
    this.#report(this.#health.found("clock", sinceMs === null ? [] : [{ fault: "clock_drift", sinceMs }]));
  }

  #report(change: ConditionChange | null): void {
    if (!change) return;
    const { recorder, clock, log } = this.#options;
    this.#sinceMs = clock.nowMs();
    if (this.#cameraId === null) return;
    log.info({ cameraId: this.#cameraId, ...change }, "camera condition");
    recorder.record({
      type: "camera_health",
      cameraId: this.#cameraId,
      capturedAtMs: clock.nowMs(),
      condition: change.condition,
      ...(change.code === null ? {} : { code: change.code }),
      ...(change.faults === null ? {} : { faults: [...change.faults] }),
      ...(this.#clockOffsetMs === undefined ? {} : { clockOffsetMs: this.#clockOffsetMs }),
    });
  }
}
