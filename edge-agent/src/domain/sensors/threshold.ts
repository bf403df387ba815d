import type { SensorThreshold } from "@huishi/contracts";

/** So many raises within the window are chattering (ISA-18.2): then it ends only after a quiet window. */
const CHATTER_RAISES = 3;
const CHATTER_WINDOW_MS = 60_000;

export interface ThresholdChange {
  readonly active: boolean;
  readonly atMs: number;
  readonly value: number;
}

interface Pending {
  readonly toActive: boolean;
  /** Time of the first value on the other side. */
  readonly sinceMs: number;
  /** Agent clock when it came. */
  readonly arrivedAtMs: number;
}

/**
 * Where the values of one datastream stand towards one limit. `above` is entered at or over the limit, `below` at or
 * under it; it is left at `clearAt`, or, when that is the limit itself, on the other side of it. In between nothing
 * changes. Either move must hold for `holdMs`. Before the first value it is not known: the first value that is clearly
 * outside says so too, because an alarm from before a restart may be open.
 */
export class Threshold {
  readonly definition: SensorThreshold;
  #active: boolean | null = null;
  #pending: Pending | null = null;
  #lastValue = 0;
  #raises: number[] = [];

  constructor(definition: SensorThreshold) {
    this.definition = definition;
  }

  get active(): boolean {
    return this.#active === true;
  }

  get lastValue(): number {
    return this.#lastValue;
  }

  /** Values come in the order of their time. */
  take(value: number, atMs: number, arrivedAtMs: number): ThresholdChange | null {
    this.#lastValue = value;
    const side = this.#sideOf(value);
    if (side === null || side === this.#active) {
      // Within the hysteresis nothing is held: neither at the limit nor where it is cleared.
      this.#pending = null;
      return null;
    }
    if (this.#pending?.toActive !== side) this.#pending = { toActive: side, sinceMs: atMs, arrivedAtMs };
    return atMs - this.#pending.sinceMs >= this.#holdMs(side, atMs) ? this.#move(side, atMs) : null;
  }

  /** Time alone: a sensor that speaks on change only says nothing more while its value holds. */
  tick(nowMs: number): ThresholdChange | null {
    const pending = this.#pending;
    if (!pending) return null;
    const holdMs = this.#holdMs(pending.toActive, nowMs);
    return nowMs - pending.arrivedAtMs >= holdMs
      ? this.#move(pending.toActive, Math.min(nowMs, pending.sinceMs + holdMs))
      : null;
  }

  /** The values stopped: what was to be held is not known to hold. */
  forget(): void {
    this.#pending = null;
  }

  #sideOf(value: number): boolean | null {
    const { when, limit, clearAt = limit } = this.definition;
    const sign = when === "above" ? 1 : -1;
    if (sign * (value - limit) >= 0) return true;
    return clearAt === limit || sign * (value - clearAt) <= 0 ? false : null;
  }

  #holdMs(toActive: boolean, atMs: number): number {
    const holdMs = this.definition.holdMs ?? 0;
    if (toActive) return holdMs;
    // What is not known to be active is no alarm that could chatter.
    if (this.#active === null) return 0;
    const recent = this.#raises.filter((raise) => atMs - raise < CHATTER_WINDOW_MS);
    return recent.length >= CHATTER_RAISES ? Math.max(holdMs, CHATTER_WINDOW_MS) : holdMs;
  }

  #move(active: boolean, atMs: number): ThresholdChange {
    this.#active = active;
    this.#pending = null;
    if (active) this.#raises = [...this.#raises, atMs].slice(-CHATTER_RAISES);
    return { active, atMs, value: this.#lastValue };
  }
}
