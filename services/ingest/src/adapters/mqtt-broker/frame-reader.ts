/** Enough of an oversized PUBLISH to tell its topic and packet id. */
const HEAD_BYTES = 1024;

export interface Frame {
  /** The whole packet with its header; only its beginning when it is oversized. */
  readonly bytes: Buffer;
  readonly isOversized: boolean;
}

/**
 * Cuts a broker's stream into MQTT packets (MQTT 3.1.1 §2.2: type, remaining length, body) and keeps no more of one
 * than the limit allows, whatever length it announces: MQTT 3.1.1 has no way to tell the broker our limit.
 */
export class FrameReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  /** Bytes of the current packet kept, and still to come. Both 0 between packets. */
  #kept = 0;
  #left = 0;
  #keepUpTo = 0;
  /** Header bytes of a packet whose length is not complete. */
  #header: number[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The packets that end in this chunk. Throws a RangeError on a length that never ends. */
  *feed(chunk: Buffer): Generator<Frame> {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#left === 0) {
        const isComplete = this.#readHeaderByte(chunk[at] as number);
        at += 1;
        if (!isComplete) continue;
      } else {
        const end = Math.min(at + this.#left, chunk.byteLength);
        this.#keep(chunk.subarray(at, end));
        this.#left -= end - at;
        at = end;
      }
      if (this.#left === 0) yield this.#finish();
    }
  }

  /** True when the header is complete. */
  #readHeaderByte(byte: number): boolean {
    this.#header.push(byte);
    if (this.#header.length === 1 || byte & 0x80) {
      if (this.#header.length > 4) throw new RangeError("a packet length of more than four bytes");
      return false;
    }
    this.#left = this.#header.slice(1).reduce((sum, each, place) => sum + (each & 0x7f) * 128 ** place, 0);
    const whole = this.#header.length + this.#left;
    this.#keepUpTo = whole > this.#maxBytes ? HEAD_BYTES : whole;
    this.#keep(Buffer.from(this.#header));
    this.#header = [];
    this.#isOversized = whole > this.#maxBytes;
    return true;
  }
  #isOversized = false;

  #keep(bytes: Buffer): void {
    const kept = bytes.subarray(0, this.#keepUpTo - this.#kept);
    if (kept.byteLength === 0) return;
    this.#parts.push(kept);
    this.#kept += kept.byteLength;
  }

  #finish(): Frame {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#kept = 0;
    return { bytes, isOversized: this.#isOversized };
  }
}

/** Topic and packet id (0 at QoS 0) from the beginning of a PUBLISH (§3.3), or null when it is none. */
export function headOfPublish(bytes: Buffer): { topic: string; packetId: number } | null {
  const first = bytes[0] ?? 0;
  if (first >> 4 !== 3) return null;
  let at = 1;
  while ((bytes[at] ?? 0) & 0x80) at += 1;
  at += 1;
  if (bytes.byteLength < at + 2) return null;
  const topicEnd = at + 2 + bytes.readUInt16BE(at);
  if (bytes.byteLength < topicEnd + 2) return null;
  const qos = (first >> 1) & 3;
  return {
    topic: bytes.toString("utf8", at + 2, topicEnd),
    packetId: qos === 0 ? 0 : bytes.readUInt16BE(topicEnd),
  };
}
