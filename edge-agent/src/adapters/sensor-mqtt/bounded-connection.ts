import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { MAX_SENSOR_MESSAGE_BYTES } from "../../application/sensor-ports.ts";

/** A message that is too large for a sensor still tells whose it is; beyond this the connection ends. */
export const MAX_PACKET_BYTES = 4 * MAX_SENSOR_MESSAGE_BYTES;
const MAX_LENGTH_BYTES = 4;

/** Reads the lengths of MQTT packets (3.1.1 §2.2.3) as bytes pass. */
export class PacketLengths {
  readonly #maxBytes: number;
  /** Bytes of the current packet that are still to come. */
  #left = 0;
  /** Where in the fixed header the next byte stands; -1: before it. */
  #digit = -1;
  #length = 0;

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

/** A socket as the broker sees it: ends before a packet that is too long is gathered in memory. */
export class BoundedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #lengths: PacketLengths;
  readonly #onTooLong: () => void;

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
    if (!this.push(chunk)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }
}
