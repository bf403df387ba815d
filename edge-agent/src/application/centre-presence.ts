import type { Clock } from "@huishi/kernel";

/** Since when the centre is there, or is not. */
export class CentrePresence {
  readonly #clock: Clock;
  #isConnected = false;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
  }

  /** Agent clock. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  connected(): void {
    this.#set(true);
  }

  lost(): void {
    this.#set(false);
  }

  #set(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    this.#sinceMs = this.#clock.nowMs();
  }
}
