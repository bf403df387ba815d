import type { Sampling } from "@huishi/contracts";

interface Unit {
  readonly keyframe: boolean;
  readonly disposable: boolean;
  readonly capturedAtMs: number;
}

/** The mean of the last keyframe distances counts; an older one fades by half with each new one. */
const SMOOTHING = 0.5;

/**
 * Which pictures of a stream satisfy a sampling. Coded pictures lean on one another: between keyframes only those that
 * nobody leans on can be left out. So N frames a second means keyframes alone where they come that often, and
 * otherwise everything but the disposable pictures beyond N.
 */
export class UnitSampler {
  #sampling: Sampling;
  #keyframeAtMs: number | null = null;
  #gopMs: number | null = null;
  #lastTakenMs = Number.NEGATIVE_INFINITY;
  /** Whether the group that runs is taken whole. */
  #takesGroup = true;

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  set sampling(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /** The group that runs is taken whole, but for what nobody leans on. */
  get takesGroup(): boolean {
    return this.#takesGroup;
  }

  takes(unit: Unit): boolean {
    if (unit.keyframe) this.#beginGroup(unit.capturedAtMs);
    const taken = unit.keyframe || (this.#takesGroup && !this.#isSuperfluous(unit));
    if (taken) this.#lastTakenMs = unit.capturedAtMs;
    return taken;
  }

  /** The mode changes at keyframes only: a group without its beginning is worth nothing. */
  #beginGroup(atMs: number): void {
    if (this.#keyframeAtMs !== null) {
      const distanceMs = Math.max(0, atMs - this.#keyframeAtMs);
      this.#gopMs = this.#gopMs === null ? distanceMs : this.#gopMs + (distanceMs - this.#gopMs) * SMOOTHING;
    }
    this.#keyframeAtMs = atMs;
    const sampling = this.#sampling;
    this.#takesGroup =
      sampling.kind === "all" ||
      (sampling.kind === "fps" && (this.#gopMs === null || this.#gopMs > 1000 / sampling.fps));
  }

  #isSuperfluous(unit: Unit): boolean {
    const sampling = this.#sampling;
    if (!unit.disposable || sampling.kind !== "fps") return false;
    return unit.capturedAtMs - this.#lastTakenMs < 1000 / sampling.fps;
  }
}
