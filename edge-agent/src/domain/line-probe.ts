/** The delivered rate is a mean over so long. */
const RATE_WINDOW_MS = 4_000;
/** And over no less: one answer says little. */
const LEAST_SPAN_MS = 500;
/** An answer tells of the line for so long. */
const FRESH_MS = 2_000;
/** Above this delay, milliseconds, a queue stands before the line: what is under way is bounded by time. */
const SLOW_MS = 1_000;
/** What may be under way on a slow line, as time at the rate at which it delivers. */
const LIMIT_MS = 1_000;
/** One fragment may always be under way. */
const LEAST_LIMIT_BYTES = 64 * 1024;

/**
 * How far behind a connection is, and how fast it delivers. What is written goes into the system's own buffers and says
 * nothing; so the other end is asked from time to time, in the same stream, and its answer says that everything before
 * the question has arrived. One question is open at a time. Times are of one monotonic clock, milliseconds.
 */
export class LineProbe {
  #sent = 0;
  #arrived = 0;
  #asked: { readonly sent: number; readonly atMs: number } | null = null;
  #answers: { readonly askedAtMs: number; readonly atMs: number; readonly bytes: number }[] = [];
  #leastMs = Number.POSITIVE_INFINITY;

  /** Bytes that are not known to have arrived. */
  get unansweredBytes(): number {
    return this.#sent - this.#arrived;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** @returns whether to ask now: something is under way that no open question covers */
  ask(nowMs: number): boolean {
    if (this.#asked || this.#sent === this.#arrived) return false;
    this.#asked = { sent: this.#sent, atMs: nowMs };
    return true;
  }

  /** An answer that nobody waits for is ignored. */
  answered(nowMs: number): void {
    if (!this.#asked) return;
    const { sent, atMs: askedAtMs } = this.#asked;
    this.#answers.push({ askedAtMs, atMs: nowMs, bytes: sent - this.#arrived });
    while ((this.#answers[0]?.atMs ?? nowMs) < nowMs - RATE_WINDOW_MS) this.#answers.shift();
    this.#leastMs = Math.min(this.#leastMs, Math.max(0, nowMs - askedAtMs));
    this.#arrived = sent;
    this.#asked = null;
  }

  /** Longer than a question has taken on the free line, milliseconds: what waits before the newest bytes, at least. */
  queueMs(nowMs: number): number {
    const newest = this.#answers.at(-1);
    const isFresh = newest !== undefined && nowMs - newest.atMs < FRESH_MS;
    const answeredMs = isFresh ? newest.atMs - newest.askedAtMs : 0;
    const openMs = this.#asked ? nowMs - this.#asked.atMs : 0;
    const least = Number.isFinite(this.#leastMs) ? this.#leastMs : 0;
    return Math.max(0, answeredMs - least, openMs - least);
  }

  /** Bytes a second over the last answers; 0 where there are none. */
  deliveredBytesPerS(nowMs: number): number {
    const fresh = this.#answers.filter(({ atMs }) => atMs >= nowMs - RATE_WINDOW_MS);
    if (fresh.length === 0) return 0;
    const bytes = fresh.reduce((sum, each) => sum + each.bytes, 0);
    const sinceMs = Math.min(...fresh.map(({ askedAtMs }) => askedAtMs));
    const spanMs = Math.max(LEAST_SPAN_MS, Math.min(RATE_WINDOW_MS, nowMs - sinceMs));
    return (bytes * 1_000) / spanMs;
  }

  /** Bytes that may be under way: on a slow line what it delivers in about a second; null while it is quick. */
  limitBytes(nowMs: number): number | null {
    if (this.queueMs(nowMs) <= SLOW_MS) return null;
    return Math.max(LEAST_LIMIT_BYTES, (this.deliveredBytesPerS(nowMs) * LIMIT_MS) / 1_000);
  }
}
