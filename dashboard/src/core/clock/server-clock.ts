/**
 * The server's time in a browser whose own clock may be wrong. Ages and deadlines are counted on it.
 *
 * A round trip gives one sample: the server's time, plus half the trip, is the time at which the answer came
 * (Cristian 1989). The error is at most half the trip, so the sample with the shortest trip of the recent ones
 * is believed.
 */
export interface ClockSample {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly serverTimeMs: number;
}

const KEPT_SAMPLES = 8;

/** Milliseconds since the Unix epoch on a clock that no correction of the system's clock moves. */
export function monotonicEpochMs(): number {
  return performance.timeOrigin + performance.now();
}

export class ServerClockEstimator {
  #samples: { offsetMs: number; roundTripMs: number }[] = [];

  /** Takes one round trip; impossible ones (answered before asked) are ignored. */
  add({ sentAtMs, receivedAtMs, serverTimeMs }: ClockSample): void {
    const roundTripMs = receivedAtMs - sentAtMs;
    if (roundTripMs < 0) return;
    this.#samples.push({ offsetMs: serverTimeMs + roundTripMs / 2 - receivedAtMs, roundTripMs });
    if (this.#samples.length > KEPT_SAMPLES) this.#samples.shift();
  }

  /** Forgets everything: after a reconnect the server may be another machine. */
  reset(): void {
    this.#samples = [];
  }

  /** Server time minus local time, from the shortest of the recent round trips; null before the first. */
  get offsetMs(): number | null {
    let best: { offsetMs: number; roundTripMs: number } | null = null;
    for (const sample of this.#samples) if (!best || sample.roundTripMs <= best.roundTripMs) best = sample;
    return best?.offsetMs ?? null;
  }
}
