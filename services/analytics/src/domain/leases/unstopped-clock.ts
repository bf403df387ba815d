import type { Clock } from "@huishi/kernel";

/** The wall clock running ahead of the monotonic one by more than this between two looks: the machine was asleep. */
const ASLEEP_MS = 1_000;

/**
 * Time that goes on while the process stands still and while the machine sleeps. CLOCK_MONOTONIC, which
 * `performance.now()` reads, stops during a suspend of the machine or of the guest (clock_gettime(2)); the wall clock
 * does not. A wall clock that is set forward is taken for a sleep: leases then end early, never late.
 */
export class UnstoppedClock implements Clock {
  readonly #monotonic: Clock;
  readonly #wall: Clock;
  #lastMonotonicMs: number;
  #lastWallMs: number;
  #nowMs = 0;

  constructor(monotonic: Clock, wall: Clock) {
    this.#monotonic = monotonic;
    this.#wall = wall;
    this.#lastMonotonicMs = monotonic.nowMs();
    this.#lastWallMs = wall.nowMs();
  }

  nowMs(): number {
    const monotonicMs = this.#monotonic.nowMs();
    const wallMs = this.#wall.nowMs();
    const ranMs = monotonicMs - this.#lastMonotonicMs;
    const wallRanMs = wallMs - this.#lastWallMs;
    this.#lastMonotonicMs = monotonicMs;
    this.#lastWallMs = wallMs;
    this.#nowMs += wallRanMs - ranMs > ASLEEP_MS ? wallRanMs : ranMs;
    return this.#nowMs;
  }
}
