import { MAX_EVENT_BATCH_BYTES, MAX_FRAGMENT_BYTES } from "@huishi/contracts";
import type { ConnectionKind } from "./topic-rights.ts";

/**
 * Reads the frames of MQTT (MQTT 3.1.1 §2.2: type, remaining length, body) as they stream by, without keeping a
 * byte, and says stop as soon as a packet's announced length is too large: before anything buffers it.
 */
export const MAX_CONNECT_BYTES = 4 * 1024;
/** A client may send on after CONNECT without waiting (§3.1.4), but not much. */
const MAX_BYTES_BEFORE_CONNACK = 16 * 1024;
const MAX_CONTROL_BYTES = 4 * 1024;
/** Topic name and packet id of a PUBLISH. */
const PUBLISH_OVERHEAD_BYTES = 512;

const CONNECT = 1;
const PUBLISH = 3;
const PINGREQ = 12;

export type Breach =
  "NOT_CONNECT" | "CONNECT_TOO_LARGE" | "TOO_MUCH_UNAUTHENTICATED" | "PACKET_TOO_LARGE" | "BAD_LENGTH";

export class PacketGauge {
  #kind: ConnectionKind | null = null;
  #seenBytes = 0;
  #packets = 0;
  /** Bytes of the current body still to come. */
  #bodyLeft = 0;
  /** Type of the packet whose length is being read, or null between packets. */
  #type: number | null = null;
  #length = 0;
  #lengthBytes = 0;
  #isInPing = false;
  #pings = 0;
  /** Where PINGREQs stand in the chunk fed last: [start, end) in turn. */
  #pingBytes: [start: number, end: number][] = [];

  /** From now on the limits of a signed-in connection hold. */
  authenticated(kind: ConnectionKind): void {
    this.#kind = kind;
  }

  /** How many PINGREQs ended in the chunk fed last; none are told before sign-in. */
  get pings(): number {
    return this.#pings;
  }

  /** The chunk fed last without its PINGREQs. */
  withoutPings(chunk: Uint8Array): Uint8Array[] {
    if (this.#pingBytes.length === 0) return [chunk];
    const kept: Uint8Array[] = [];
    let at = 0;
    for (const [start, end] of this.#pingBytes) {
      if (start > at) kept.push(chunk.subarray(at, start));
      at = end;
    }
    if (at < chunk.byteLength) kept.push(chunk.subarray(at));
    return kept;
  }

  /** Follows the next bytes of the stream. Returns what they breach, or null. */
  feed(chunk: Uint8Array): Breach | null {
    this.#seenBytes += chunk.byteLength;
    this.#pings = 0;
    if (this.#pingBytes.length > 0) this.#pingBytes = [];
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, chunk.byteLength - at);
        this.#bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      const breach = this.#readHeaderByte(chunk[at] as number);
      if (breach) return breach;
      if (this.#isInPing) this.#notePingByte(at);
      at += 1;
    }
    const isFlood = this.#kind === null && this.#seenBytes > MAX_BYTES_BEFORE_CONNACK;
    return isFlood ? "TOO_MUCH_UNAUTHENTICATED" : null;
  }

  #notePingByte(at: number): void {
    this.#pingBytes.push([at, at + 1]);
    if (this.#type !== null) return;
    this.#pings += 1;
    this.#isInPing = false;
  }

  #readHeaderByte(byte: number): Breach | null {
    if (this.#type === null) {
      this.#type = byte >> 4;
      this.#length = 0;
      this.#lengthBytes = 0;
      this.#isInPing = this.#type === PINGREQ && this.#kind !== null;
      return this.#packets === 0 && this.#type !== CONNECT ? "NOT_CONNECT" : null;
    }
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    if (byte & 0x80) return this.#lengthBytes === 4 ? "BAD_LENGTH" : null;
    const breach = this.#judge(this.#type, this.#length);
    this.#packets += 1;
    this.#type = null;
    this.#bodyLeft = this.#length;
    return breach;
  }

  #judge(type: number, length: number): Breach | null {
    if (type === CONNECT) return length > MAX_CONNECT_BYTES ? "CONNECT_TOO_LARGE" : null;
    // A PINGREQ has no body (§3.12).
    if (type === PINGREQ && length > 0) return "BAD_LENGTH";
    return length > this.#limitOf(type) ? "PACKET_TOO_LARGE" : null;
  }

  #limitOf(type: number): number {
    if (type !== PUBLISH || this.#kind === null) return MAX_CONTROL_BYTES;
    const payload = this.#kind === "media" ? MAX_FRAGMENT_BYTES : MAX_EVENT_BATCH_BYTES;
    return payload + PUBLISH_OVERHEAD_BYTES;
  }
}
