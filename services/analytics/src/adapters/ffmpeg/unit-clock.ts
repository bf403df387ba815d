/** The decoder's clock: milliseconds that start at zero and always rise, whatever the camera's clock does. */

/** A camera's clock that jumps further than this, in either direction, was set; the decoder's clock goes on evenly. */
const CLOCK_STEP_MS = 5_000;
/** What stands for the unknown time between the units before and after such a jump. */
const STEP_REPLACEMENT_MS = 40;
/** Units in flight inside a decoder; a picture that comes later than this many units has lost its time. */
const REMEMBERED_UNITS = 512;

export interface FedUnit {
  readonly capturedAtMs: number;
  /** When it was sent on its way to the decoder. */
  readonly fedAtMs: number;
}

/**
 * Gives each access unit the time under which the decoder sees it and finds the unit again by that time, so that
 * each picture keeps its exact capture time even when the camera's clock steps back or pictures are reordered.
 */
export class UnitClock {
  readonly #fed = new Map<number, FedUnit>();
  #originMs: number | null = null;
  #lastMs = -1;

  /** Milliseconds since the first unit. */
  get elapsedMs(): number {
    return Math.max(this.#lastMs, 0);
  }

  stamp(unit: FedUnit): number {
    this.#originMs ??= unit.capturedAtMs;
    if (this.#lastMs >= 0 && Math.abs(unit.capturedAtMs - this.#originMs - this.#lastMs) > CLOCK_STEP_MS) {
      this.#originMs = unit.capturedAtMs - this.#lastMs - STEP_REPLACEMENT_MS;
    }
    const stampMs = Math.max(this.#lastMs + 1, Math.round(unit.capturedAtMs - this.#originMs));
    this.#lastMs = stampMs;
    this.#fed.set(stampMs, unit);
    if (this.#fed.size > REMEMBERED_UNITS) this.#fed.delete(this.#fed.keys().next().value as number);
    return stampMs;
  }

  /** The unit that was stamped so; each is found once. */
  take(stampMs: number): FedUnit | undefined {
    const unit = this.#fed.get(stampMs);
    this.#fed.delete(stampMs);
    return unit;
  }
}
