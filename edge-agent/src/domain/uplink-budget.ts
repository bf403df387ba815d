/** Shares are worked out anew this often. */
const SHARE_MS = 500;
/** A stream's rate is a mean over about this long: a group of pictures and more. */
const RATE_WINDOW_MS = 4_000;
/** The link may be ahead of its mean rate by so much. */
const BURST_MS = 2_000;
/** The same where the line itself is the bound: what is ahead of it waits, and is late. */
const LINE_BURST_MS = 1_000;
/** A stream can save up so much of its share, so that whole groups of pictures fit. */
const SAVED_MS = 4_000;
/** Uploads get what live pictures leave, and always this part: a clip that is asked for comes in the end. */
const UPLOAD_SHARE = 0.1;
/** A first guess for a group of pictures whose size is not known. */
const FIRST_GROUP_BYTES = 256 * 1024;
const FIRST_GROUP_MS = 2_000;
const SMOOTHING = 0.5;
/** Groups differ in size. */
const GROUP_MARGIN = 1.1;

interface Stream {
  /** Bytes it may still send; below zero when a group was larger than it looked. */
  tokens: number;
  /** Bytes a second. */
  share: number;
  rate: number;
  offered: number;
  groupBytes: number;
  groupMs: number;
  groupSoFar: number;
  groupAtMs: number;
  isOpen: boolean;
}

/**
 * The site's uplink, shared by its streams: a ceiling in bits a second, max-min fair below it. A stream that wants less
 * than its share leaves the rest to the others; one that wants more sends whole groups of pictures, and leaves whole
 * groups out. Over any time, no more is sent than the ceiling allows, and one burst (two seconds' worth) and one picture.
 *
 * Max-min fairness: Bertsekas and Gallager, Data Networks §6.5.2; buckets as in RFC 2697.
 */
export class UplinkBudget {
  #ceilingBytesPerS: number | null;
  #lineBytesPerS: number | null = null;
  #tokens = 0;
  #uploadTokens = 0;
  #nowMs: number | null = null;
  #sharedAtMs = 0;
  readonly #streams = new Map<string, Stream>();

  /** @param bitsPerSecond null: no ceiling */
  constructor(bitsPerSecond: number | null = null) {
    this.#ceilingBytesPerS = bitsPerSecond === null ? null : bitsPerSecond / 8;
    this.#tokens = this.#burst;
  }

  set bitsPerSecond(bitsPerSecond: number | null) {
    this.#ceilingBytesPerS = bitsPerSecond === null ? null : bitsPerSecond / 8;
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** What the line was found to take; null where it has not shown to be thin. The ceiling stays above it. */
  set lineBytesPerSecond(bytesPerS: number | null) {
    this.#lineBytesPerS = bytesPerS;
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /**
   * May this picture be sent? Once one may not, the rest of its group may not either.
   *
   * @param unit `fits` is false where the connection has no room for it: then it takes nothing from the budget
   */
  admit(
    streamId: string,
    unit: { readonly keyframe: boolean; readonly bytes: number; readonly fits?: boolean },
    nowMs: number,
  ): boolean {
    if (this.#bytesPerS === null) return true;
    const stream = this.#streamOf(streamId);
    this.#advance(nowMs);
    stream.offered += unit.bytes;
    if (unit.keyframe) this.#beginGroup(stream, nowMs);
    stream.groupSoFar += unit.bytes;
    if (unit.fits === false) stream.isOpen = false;
    if (!stream.isOpen) return false;
    // A picture larger than a burst goes when the burst is whole, and is paid for afterwards.
    if (this.#tokens < Math.min(unit.bytes, this.#burst)) {
      stream.isOpen = false;
      return false;
    }
    this.#tokens -= unit.bytes;
    stream.tokens -= unit.bytes;
    return true;
  }

  /** Nobody wants the stream any longer: its share goes to the others. */
  forget(streamId: string): void {
    this.#streams.delete(streamId);
    this.#share();
  }

  /** Takes an upload's bytes; gives how long it must wait before it may ask again, 0 when it may send now. */
  takeUpload(bytes: number, nowMs: number): number {
    if (this.#bytesPerS === null) return 0;
    this.#advance(nowMs);
    const needed = Math.min(bytes, this.#burst);
    if (this.#uploadTokens >= needed && this.#tokens >= needed) {
      this.#uploadTokens -= bytes;
      this.#tokens -= bytes;
      return 0;
    }
    const missing = needed - Math.min(this.#uploadTokens, this.#tokens);
    return Math.max(10, (missing * 1000) / this.#uploadRate);
  }

  get #bytesPerS(): number | null {
    if (this.#lineBytesPerS === null) return this.#ceilingBytesPerS;
    return Math.min(this.#ceilingBytesPerS ?? Number.POSITIVE_INFINITY, this.#lineBytesPerS);
  }

  get #burst(): number {
    const ceiling = this.#ceilingBytesPerS === null ? null : (this.#ceilingBytesPerS * BURST_MS) / 1000;
    if (this.#lineBytesPerS === null) return ceiling ?? 0;
    return Math.min(ceiling ?? Number.POSITIVE_INFINITY, (this.#lineBytesPerS * LINE_BURST_MS) / 1000);
  }

  get #uploadRate(): number {
    const total = this.#bytesPerS ?? 0;
    let live = 0;
    for (const { share, rate } of this.#streams.values()) live += Math.min(share, rate);
    return Math.max(total * UPLOAD_SHARE, total - live);
  }

  #streamOf(streamId: string): Stream {
    const known = this.#streams.get(streamId);
    if (known) return known;
    const groupBytes = FIRST_GROUP_BYTES;
    const fresh: Stream = {
      tokens: groupBytes,
      share: 0,
      rate: 0,
      offered: 0,
      groupBytes,
      groupMs: FIRST_GROUP_MS,
      groupSoFar: 0,
      groupAtMs: 0,
      isOpen: false,
    };
    this.#streams.set(streamId, fresh);
    this.#share();
    return fresh;
  }

  /**
   * A group begins when the stream has saved up enough for the whole of it, as far as the last ones tell, and the link
   * has room for it beside the groups that run.
   */
  #beginGroup(stream: Stream, nowMs: number): void {
    if (stream.groupSoFar > 0) {
      stream.groupBytes += (stream.groupSoFar - stream.groupBytes) * SMOOTHING;
      stream.groupMs += (Math.max(0, nowMs - stream.groupAtMs) - stream.groupMs) * SMOOTHING;
    }
    stream.groupSoFar = 0;
    stream.groupAtMs = nowMs;
    stream.isOpen = false;
    const most = (Math.max(stream.share, 1) * SAVED_MS) / 1000;
    const comes = ((this.#bytesPerS ?? 0) * stream.groupMs) / 1000;
    const room = this.#tokens + comes - this.#promised;
    const needed = stream.groupBytes * GROUP_MARGIN;
    const isLargest = needed > this.#burst + comes;
    stream.isOpen = stream.tokens >= Math.min(stream.groupBytes, most) && (isLargest || room >= needed);
  }

  /** What the groups that run will still want. */
  get #promised(): number {
    let bytes = 0;
    for (const stream of this.#streams.values()) {
      if (stream.isOpen) bytes += Math.max(0, stream.groupBytes - stream.groupSoFar);
    }
    return bytes;
  }

  #advance(nowMs: number): void {
    const total = this.#bytesPerS ?? 0;
    // A clock that was set back gives nothing, and takes nothing.
    const elapsedS = Math.max(0, nowMs - (this.#nowMs ?? nowMs)) / 1000;
    this.#nowMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + total * elapsedS);
    this.#uploadTokens = Math.min(this.#burst, this.#uploadTokens + this.#uploadRate * elapsedS);
    for (const stream of this.#streams.values()) {
      const saved = Math.max((stream.share * SAVED_MS) / 1000, stream.groupBytes);
      stream.tokens = Math.min(saved, stream.tokens + stream.share * elapsedS);
    }
    if (nowMs - this.#sharedAtMs < SHARE_MS && nowMs >= this.#sharedAtMs) return;
    this.#measure(Math.max(1, nowMs - this.#sharedAtMs));
    this.#sharedAtMs = nowMs;
    this.#share();
  }

  #measure(elapsedMs: number): void {
    const weight = Math.min(1, elapsedMs / RATE_WINDOW_MS);
    for (const stream of this.#streams.values()) {
      stream.rate += ((stream.offered * 1000) / elapsedMs - stream.rate) * weight;
      stream.offered = 0;
    }
  }

  /** Max-min: whoever wants least is served first, and what he leaves is shared by the rest. */
  #share(): void {
    let left = this.#bytesPerS ?? 0;
    const byRate = [...this.#streams.values()].sort((a, b) => a.rate - b.rate);
    byRate.forEach((stream, i) => {
      const fair = left / (byRate.length - i);
      // A little more than was measured: a stream that grows must be seen to grow.
      const granted = stream.rate === 0 ? fair : Math.min(fair, stream.rate * 1.2);
      stream.share = granted;
      left -= Math.min(granted, stream.rate === 0 ? granted : stream.rate);
    });
  }
}
