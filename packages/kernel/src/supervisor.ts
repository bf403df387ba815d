import { type Clock, sleep, systemClock } from "./clock.ts";
import { type BackoffOptions, backoffDelayMs } from "./retry.ts";

/** Anything that runs until its signal aborts, and fails plainly by throwing. */
export interface Runnable {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface SuperviseOptions extends BackoffOptions {
  /** A run that lasted at least this long resets the back-off. */
  readonly healthyAfterMs: number;
  readonly onFailure?: (failure: {
    name: string;
    error: unknown;
    attempt: number;
    retryDelayMs: number;
  }) => void;
  readonly random?: () => number;
  readonly clock?: Clock;
}

/**
 * Owns run, retry pause and stop for one runnable: the one loop that every source, connection and child
 * process shares. Resolves when the signal aborts; never rejects.
 */
export async function supervise(
  runnable: Runnable,
  signal: AbortSignal,
  options: SuperviseOptions,
): Promise<void> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  let attempt = 0;
  while (!signal.aborted) {
    const startedMs = clock.nowMs();
    let error: unknown;
    try {
      await runnable.run(signal);
      error = new Error(`${runnable.name} ended by itself`);
    } catch (thrown) {
      error = thrown;
    }
    if (signal.aborted) return;
    if (clock.nowMs() - startedMs >= options.healthyAfterMs) attempt = 0;
    const retryDelayMs = backoffDelayMs(attempt, options, random);
    options.onFailure?.({ name: runnable.name, error, attempt, retryDelayMs });
    attempt += 1;
    try {
      await sleep(retryDelayMs, signal);
    } catch {
      return;
    }
  }
}
