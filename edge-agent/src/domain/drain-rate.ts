/** Acknowledgements that take longer on average, milliseconds, are those of a thin line: a radio link, a full ADSL. */
const THIN_LINE_ACK_MS = 300;
/** Weight of the newest acknowledgement's time in their mean. */
const ACK_WEIGHT = 0.25;
/** The rate is a mean over so long. */
const WINDOW_MS = 4_000;
/** What is gone within this time need not be told apart from the present. */
const SHORT_MS = 2_000;
/** A backlog up to here is short on any line that is not thin. */
const MOST = 5_000;
/** A line that has nothing to carry looks slower than it is. */
const LEAST = 300;

/** How fast events leave for the centre, from their acknowledgements. Times are of one monotonic clock. */
export class DrainRate {
  #acknowledged: { readonly atMs: number; readonly sentAtMs: number; readonly events: number }[] = [];
  #meanAckMs: number | null = null;

  acknowledged(events: number, sentAtMs: number, atMs: number): void {
    const tookMs = Math.max(0, atMs - sentAtMs);
    const mean = this.#meanAckMs ?? tookMs;
    this.#meanAckMs = mean + (tookMs - mean) * ACK_WEIGHT;
    this.#acknowledged.push({ atMs, sentAtMs, events });
    while ((this.#acknowledged[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#acknowledged.shift();
  }

  /** Events a second over the last acknowledgements; null before the first one. */
  get eventsPerSecond(): number | null {
    const newest = this.#acknowledged.at(-1);
    if (!newest) return null;
    let events = 0;
    let sinceMs = newest.atMs;
    for (const each of this.#acknowledged) {
      events += each.events;
      sinceMs = Math.min(sinceMs, each.sentAtMs);
    }
    return (events * 1_000) / Math.max(1, newest.atMs - sinceMs);
  }

  /** A backlog of so many events is gone in about two seconds. */
  get shortBacklog(): number {
    const rate = this.eventsPerSecond;
    if (rate === null) return LEAST;
    if ((this.#meanAckMs ?? 0) <= THIN_LINE_ACK_MS) return MOST;
    return Math.min(MOST, Math.max(LEAST, (rate * SHORT_MS) / 1_000));
  }
}
