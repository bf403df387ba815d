import { type StreamProfile, fragmentAccessUnit, MAX_ACCESS_UNIT_BYTES } from "@huishi/contracts";
import { type Clock, type SuperviseOptions, supervise } from "@huishi/kernel";
import { CaptureClock } from "../domain/capture-clock.ts";
import { edgeFaultCode } from "../domain/faults.ts";
import { GopGate } from "../domain/gop-gate.ts";
import type { FrameSource, MediaLink, SourceUnit } from "./ports.ts";

/** What a relay tells of its source. */
interface StreamEvents {
  onFlowing(): void;
  onStopped(error: unknown): void;
}

export interface StreamRelayOptions {
  readonly cameraId: string;
  readonly source: FrameSource;
  readonly link: MediaLink;
  readonly clock: Clock;
  readonly events: StreamEvents;
  readonly retry: SuperviseOptions;
  readonly signal: AbortSignal;
}

/**
 * One source of one camera, on its way to the centre for as long as somebody wants it. Two profiles that are
 * the same stream of the camera share one relay.
 */
export class StreamRelay {
  readonly #options: StreamRelayOptions;
  readonly #stop = new AbortController();
  readonly #gates = new Map<StreamProfile, GopGate>();
  #captureClock = new CaptureClock();
  #unitNumber = 0;
  #isFlowing = false;
  #droppedBefore = 0;
  readonly #done: Promise<void>;

  constructor(options: StreamRelayOptions, profiles: readonly StreamProfile[]) {
    this.#options = options;
    this.setProfiles(profiles);
    const signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#done = supervise({ name: `stream of ${options.cameraId}`, run: (s) => this.#runOnce(s) }, signal, {
      ...options.retry,
      onFailure: (failure) => {
        this.#isFlowing = false;
        options.events.onStopped(failure.error);
        options.retry.onFailure?.(failure);
        if (edgeFaultCode(failure.error) === "CAMERA_AUTH_FAILED") this.#stop.abort(failure.error);
      },
    });
  }

  /** Units dropped for want of a connection or because it was slow. */
  get dropped(): number {
    let dropped = this.#droppedBefore;
    for (const gate of this.#gates.values()) dropped += gate.dropped;
    return dropped;
  }

  get isFlowing(): boolean {
    return this.#isFlowing;
  }

  /** True when the source gave up for good (a refused password). */
  get hasEnded(): boolean {
    return this.#stop.signal.aborted;
  }

  setProfiles(profiles: readonly StreamProfile[]): void {
    for (const [profile, gate] of this.#gates) {
      if (profiles.includes(profile)) continue;
      this.#droppedBefore += gate.dropped;
      this.#gates.delete(profile);
    }
    for (const profile of profiles) if (!this.#gates.has(profile)) this.#gates.set(profile, new GopGate());
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("nobody wants the stream"));
    await this.#done;
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    this.#captureClock = new CaptureClock();
    this.#unitNumber = 0;
    for (const gate of this.#gates.values()) gate.restart();
    await this.#options.source.run(signal, (units) => this.#relay(units));
  }

  #relay(units: readonly SourceUnit[]): void {
    const times = this.#captureClock.capture(
      units.map((unit) => unit.ptsMs),
      this.#options.clock.nowMs(),
    );
    units.forEach((unit, i) => this.#relayUnit(unit, times[i] as number));
    if (units.length > 0 && !this.#isFlowing) {
      this.#isFlowing = true;
      this.#options.events.onFlowing();
    }
  }

  #relayUnit(unit: SourceUnit, capturedAtMs: number): void {
    const unitNumber = this.#unitNumber++;
    const { link, cameraId } = this.#options;
    if (unit.annexB.byteLength === 0 || unit.annexB.byteLength > MAX_ACCESS_UNIT_BYTES) return;
    for (const [profile, gate] of this.#gates) {
      const decision = gate.decide(unit, link.queuedBytes, link.isConnected);
      if (!decision.send) continue;
      const fragments = fragmentAccessUnit({
        codec: unit.codec,
        keyframe: unit.keyframe,
        discontinuity: decision.discontinuity,
        unitNumber,
        capturedAtMs,
        ptsMs: Math.max(0, unit.ptsMs),
        data: unit.annexB,
      });
      for (const fragment of fragments) link.publish({ cameraId, profile }, fragment);
    }
  }
}
