import {
  fragmentAccessUnit,
  MAX_ACCESS_UNIT_BYTES,
  type Sampling,
  type StreamProfile,
} from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import { ByteSlab } from "@huishi/media";
import { GopGate } from "../domain/gop-gate.ts";
import { type LiveGap, type LiveGaps } from "../domain/live-gaps.ts";
import type { UplinkBudget } from "../domain/uplink-budget.ts";
import { UnitSampler } from "../domain/unit-sampler.ts";
import type { CapturedUnit, MediaLink, StreamConsumer } from "./ports.ts";

export interface LiveRelayOptions {
  readonly cameraId: string;
  readonly profile: StreamProfile;
  readonly sampling: Sampling;
  readonly link: MediaLink;
  readonly budget: UplinkBudget;
  readonly clock: Clock;
  readonly gaps: LiveGaps;
  onGap(gap: LiveGap): void;
}

/** One stream on its way to the centre for as long as the centre wants it. */
export class LiveRelay implements StreamConsumer {
  readonly #options: LiveRelayOptions;
  readonly #sampler: UnitSampler;
  readonly #gate = new GopGate();
  readonly #slab = new ByteSlab();
  readonly #allocate = (bytes: number): Uint8Array => this.#slab.allocate(bytes);
  #unitNumber = 0;

  constructor(options: LiveRelayOptions) {
    this.#options = options;
    this.#sampler = new UnitSampler(options.sampling);
  }

  /** Units dropped for want of a connection or because it was slow. */
  get dropped(): number {
    return this.#gate.dropped;
  }

  /** Does a viewer who joins now miss nothing of the group that runs? */
  get takesGroup(): boolean {
    return this.#sampler.takesGroup;
  }

  set sampling(sampling: Sampling) {
    this.#sampler.sampling = sampling;
  }

  onUnit(unit: CapturedUnit): void {
    const { link, gaps, onGap } = this.#options;
    if (!this.#sampler.takes(unit)) return;
    const unitNumber = this.#unitNumber++;
    if (unit.annexB.byteLength === 0 || unit.annexB.byteLength > MAX_ACCESS_UNIT_BYTES) return;
    const { queue, isConnected } = link;
    const fits = isConnected && this.#gate.hasRoom(unit, queue);
    const decision = this.#gate.decide(unit, queue, this.#isAffordable(unit, fits) && isConnected);
    if (decision.send) {
      this.#send(unit, unitNumber, decision.discontinuity);
      const gap = gaps.sent(unit.capturedAtMs);
      if (gap) onGap(gap);
    } else if (!isConnected) gaps.lost(unit.capturedAtMs, "uplink");
  }

  onInterrupted(atMs: number): void {
    this.#gate.restart();
    this.#options.gaps.lost(atMs, "camera");
  }

  /** Within the site's share of the uplink; beyond it whole groups are left out. */
  #isAffordable({ keyframe, annexB }: CapturedUnit, fits: boolean): boolean {
    const { budget, cameraId, profile, clock } = this.#options;
    return budget.admit(
      `${cameraId}/${profile}`,
      { keyframe, bytes: annexB.byteLength, fits },
      clock.nowMs(),
    );
  }

  #send(unit: CapturedUnit, unitNumber: number, discontinuity: boolean): void {
    const { cameraId, profile, link } = this.#options;
    const framed = {
      codec: unit.codec,
      keyframe: unit.keyframe,
      discontinuity: discontinuity || unit.changed,
      unitNumber,
      capturedAtMs: unit.capturedAtMs,
      ptsMs: Math.max(0, unit.ptsMs),
      data: unit.annexB,
    };
    for (const fragment of fragmentAccessUnit(framed, this.#allocate))
      link.publish({ cameraId, profile }, fragment);
  }
}
