import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { MAX_SENSOR_MESSAGE_BYTES } from "../../application/sensor-ports.ts";

/** A message that is too large for a sensor still tells whose it is; beyond this the connection ends. */
export const MAX_PACKET_BYTES = 4 * MAX_SENSOR_MESSAGE_BYTES;
const MAX_LENGTH_BYTES = 4;
/** Packets a second of one connection, and at once; beyond that its bytes wait in its own TCP window (policy: block). */
const PACKETS_PER_SECOND = 2_000;
const PACKET_BURST = 4_000;

/** Reads the lengths of MQTT packets (3.1.1 §2.2.3) as bytes pass. */
export class PacketLengths {
  readonly #maxBytes: number;
  /** Bytes of the current packet that are still to come. */
  #left = 0;
  /** Where in the fixed header the next byte stands; -1: before it. */
  #digit = -1;
  #length = 0;
  /** Packets that have begun. */
  packets = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns false when a packet is longer than allowed, or its length is malformed */
  feed(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
      } else if (!this.#header(chunk[at++] as number)) return false;
    }
    return true;
  }

  #header(byte: number): boolean {
    if (this.#digit < 0) {
      this.packets += 1;
      this.#digit = 0;
      this.#length = 0;
      return true;
    }
    this.#length += (byte & 0x7f) * 128 ** this.#digit;
    this.#digit += 1;
    if (this.#length > this.#maxBytes) return false;
    if (byte >= 0x80) return this.#digit < MAX_LENGTH_BYTES;
    this.#left = this.#length;
    this.#digit = -1;
    return true;
  }
}

/**
 * A socket as the broker sees it: ends before a packet that is too long is gathered in memory, and is read no faster than
 * a sensor has to speak, so that whoever floods waits and the agent does not.
 */
export class BoundedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #lengths: PacketLengths;
  readonly #onTooLong: () => void;
  #room = PACKET_BURST;
  #roomAtMs = performance.now();
  #pause: NodeJS.Timeout | undefined;

  constructor(socket: Socket, maxPacketBytes: number, onTooLong: () => void) {
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024, allowHalfOpen: false });
    this.#socket = socket;
    this.#lengths = new PacketLengths(maxPacketBytes);
    this.#onTooLong = onTooLong;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
    socket.on("error", () => this.destroy());
    socket.pause();
  }

  #take(chunk: Buffer): void {
    if (!this.#lengths.feed(chunk)) {
      this.#onTooLong();
      this.destroy();
      return;
    }
    const hasRoom = this.push(chunk);
    const waitMs = this.#waitMs();
    if (!hasRoom || waitMs > 0) this.#socket.pause();
    if (waitMs > 0) {
      this.#pause ??= setTimeout(() => {
        this.#pause = undefined;
        this.#socket.resume();
      }, waitMs);
    }
  }

  /** How long the connection has to wait until it is within its rate again. */
  #waitMs(): number {
    const nowMs = performance.now();
    const gained = ((nowMs - this.#roomAtMs) * PACKETS_PER_SECOND) / 1_000;
    this.#room = Math.min(PACKET_BURST, this.#room + gained) - this.#lengths.packets;
    this.#roomAtMs = nowMs;
    this.#lengths.packets = 0;
    return this.#room >= 0 ? 0 : (-this.#room * 1_000) / PACKETS_PER_SECOND;
  }

  override _read(): void {
    if (this.#pause === undefined) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#pause);
    this.#socket.destroy();
    callback(error);
  }
}
