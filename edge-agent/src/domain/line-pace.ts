/** A delay that does not fall below this for a whole interval is a queue that stands, and not a lost segment. */
const STANDING_MS = 1_000;
/** The same for media while acknowledgements of events are slow as well: events go first. */
const STANDING_BESIDE_EVENTS_MS = 400;
const SLOW_ACK_MS = 1_000;
const INTERVAL_MS = 2_000;
/** Readings that an interval must hold: a program that stood still has seen nothing. */
const LEAST_READINGS = 6;
const LEAST_ACKS = 2;
/** What is left of the rate. */
const OWN_QUEUE_SHARE = 0.7;
const EVENTS_WAIT_SHARE = 0.5;
/** Media never stops for good: a picture comes now and then. */
const LEAST_BYTES_PER_S = 8_000;
/** Slowly at first, and faster when nothing has come of it. */
const GROWTH_PER_S = 0.05;
const LATE_GROWTH_PER_S = 0.25;
const LATE_MS = 20_000;
/** A line that takes so much needs no pace. */
const CLEAR_BYTES_PER_S = 12_500_000;
/** The rate that was delivered is remembered with this loss a second: in a stall nothing is delivered. */
const PEAK_DECAY_PER_S = 0.1;

/** What was seen of the media's line; times of one monotonic clock. */
export interface LineReading {
  readonly nowMs: number;
  /** How much longer than on the free line the newest bytes take, milliseconds. */
  readonly queueMs: number;
  readonly deliveredBytesPerS: number;
}

/**
 * How much media a line takes that nobody has told us the rate of. Down by a share while a queue stands before it,
 * up slowly otherwise (AIMD's manner: Chiu and Jain 1989). The least delay of an interval decides and not the newest:
 * a segment that is lost and sent again delays too, and is no reason to send less (CoDel, RFC 8289 §3.2). Events and
 * media are two connections on one line: when acknowledgements of events are slow, media gives way earlier and more.
 */
export class LinePace {
  #bytesPerS: number | null = null;
  #readings: { readonly atMs: number; readonly queueMs: number }[] = [];
  #acks: { readonly atMs: number; readonly tookMs: number }[] = [];
  #peakBytesPerS = 0;
  #seenAtMs: number | null = null;
  #loweredAtMs = 0;

  /** Bytes a second that media may send; null: the line has not shown to be too thin. */
  get bytesPerSecond(): number | null {
    return this.#bytesPerS;
  }

  /** An event batch was acknowledged after so long. */
  acknowledged(tookMs: number, nowMs: number): void {
    this.#acks.push({ atMs: nowMs, tookMs });
    this.#acks = since(this.#acks, nowMs);
  }

  /** Call it a few times a second. */
  observe({ nowMs, queueMs, deliveredBytesPerS }: LineReading): void {
    const elapsedS = Math.max(0, nowMs - (this.#seenAtMs ?? nowMs)) / 1_000;
    this.#seenAtMs = nowMs;
    this.#readings = since([...this.#readings, { atMs: nowMs, queueMs }], nowMs);
    this.#acks = since(this.#acks, nowMs);
    const faded = this.#peakBytesPerS * Math.max(0, 1 - PEAK_DECAY_PER_S * elapsedS);
    this.#peakBytesPerS = Math.max(deliveredBytesPerS, faded);
    const share = this.#shareLeft();
    if (share === null) this.#raise(elapsedS, nowMs);
    else this.#lower(share, nowMs);
  }

  #shareLeft(): number | null {
    if (this.#readings.length < LEAST_READINGS) return null;
    const least = Math.min(...this.#readings.map(({ queueMs }) => queueMs));
    const areAcksSlow =
      this.#acks.length >= LEAST_ACKS && this.#acks.every(({ tookMs }) => tookMs > SLOW_ACK_MS);
    if (areAcksSlow && least > STANDING_BESIDE_EVENTS_MS) return EVENTS_WAIT_SHARE;
    return least > STANDING_MS ? OWN_QUEUE_SHARE : null;
  }

  #lower(share: number, nowMs: number): void {
    const before = this.#bytesPerS ?? Number.POSITIVE_INFINITY;
    this.#bytesPerS = Math.max(LEAST_BYTES_PER_S, share * Math.min(before, this.#peakBytesPerS));
    this.#loweredAtMs = nowMs;
    // What it did shows in the next interval.
    this.#readings = [];
    this.#acks = [];
  }

  #raise(elapsedS: number, nowMs: number): void {
    if (this.#bytesPerS === null) return;
    const growth = nowMs - this.#loweredAtMs > LATE_MS ? LATE_GROWTH_PER_S : GROWTH_PER_S;
    this.#bytesPerS *= 1 + growth * Math.min(1, elapsedS);
    if (this.#bytesPerS > CLEAR_BYTES_PER_S) this.#bytesPerS = null;
  }
}

function since<T extends { readonly atMs: number }>(list: readonly T[], nowMs: number): T[] {
  return list.filter(({ atMs }) => atMs > nowMs - INTERVAL_MS && atMs <= nowMs);
}
