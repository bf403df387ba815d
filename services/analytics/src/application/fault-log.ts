import { type Clock, HuishiError, messageOf, systemClock } from "@huishi/kernel";
import type { Log } from "./ports.ts";

const PERIOD_MS = 60_000;

/** What a fault without a code of its own (a broken connection, say) means here. */
export interface FaultMeaning {
  readonly code: string;
  readonly message: string;
}

/**
 * One line for a fault, not one a second: the first of its code is logged, its repeats are counted and told
 * with the first line of the next minute.
 */
export class FaultLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #seen = new Map<string, { loggedAtMs: number; repeats: number }>();

  constructor(log: Log, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  report(error: unknown, meaning: FaultMeaning, fields: object = {}): void {
    const isCoded = error instanceof HuishiError;
    const code = isCoded ? error.code : meaning.code;
    const nowMs = this.#clock.nowMs();
    const seen = this.#seen.get(code);
    if (seen && nowMs - seen.loggedAtMs < PERIOD_MS) {
      seen.repeats += 1;
      return;
    }
    this.#seen.set(code, { loggedAtMs: nowMs, repeats: 0 });
    const repeats = seen ? { repeats: seen.repeats } : {};
    const reason = isCoded ? {} : { reason: messageOf(error) };
    this.#log.warn({ code, ...fields, ...repeats, ...reason }, isCoded ? error.message : meaning.message);
  }

  /** The fault is over: said once if it had been logged; the next one is logged at once. */
  recovered(code: string): void {
    if (this.#seen.delete(code)) this.#log.info({ code }, "works again");
  }
}
