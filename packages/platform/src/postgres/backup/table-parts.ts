import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { CopySink } from "../copy-out.ts";

const compress = promisify(gzip);
/** Bytes of COPY text in a part, but for the last one of a table. */
export const PART_BYTES = 4 * 1024 * 1024;
/** Full parts: the one that is compressed and written, and the next. */
const MAX_WAITING = 2;

/**
 * Cuts what COPY gives into parts, compresses each (on a thread of its own) and hands it on. Bounded: one part that is
 * filled, one that is compressed and written, one that waits; then the sender is told to pause. Only a single row that
 * is larger than a part makes more, for the server sends it in one piece.
 */
export class TableParts implements CopySink {
  readonly #store: (part: Buffer) => Promise<void>;
  readonly #hash = createHash("sha256");
  #filling: Buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  #filled = 0;
  #bytes = 0;
  readonly #full: Buffer[] = [];
  #spare: Buffer | null = null;
  #work: Promise<void> | null = null;
  #fault: Error | null = null;
  #onRoom: (() => void) | null = null;

  constructor(store: (part: Buffer) => Promise<void>) {
    this.#store = store;
  }

  /** Bytes taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: Uint8Array, onRoom: () => void): boolean {
    if (this.#fault !== null) throw this.#fault;
    this.#bytes += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength;) {
      const piece = bytes.subarray(at, at + PART_BYTES - this.#filled);
      this.#filling.set(piece, this.#filled);
      this.#filled += piece.byteLength;
      at += piece.byteLength;
      if (this.#filled === PART_BYTES) this.#handOver(this.#spare ?? Buffer.allocUnsafeSlow(PART_BYTES));
    }
    if (this.#full.length < MAX_WAITING) return true;
    this.#onRoom = onRoom;
    return false;
  }

  /** Stores what is left, and says what it was in all. */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    if (this.#filled > 0) this.#handOver(Buffer.alloc(0));
    await this.#work;
    if (this.#fault !== null) throw this.#fault;
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  #handOver(next: Buffer): void {
    this.#full.push(this.#filling.subarray(0, this.#filled));
    this.#spare = null;
    this.#filling = next;
    this.#filled = 0;
    this.#work ??= this.#storeAll();
  }

  async #storeAll(): Promise<void> {
    try {
      for (let part = this.#full[0]; part !== undefined; part = this.#full[0]) {
        this.#hash.update(part);
        await this.#store(await compress(part, { level: 1 }));
        this.#full.shift();
        if (part.byteLength === PART_BYTES) this.#spare = part;
        if (this.#full.length < MAX_WAITING) this.#resume();
      }
    } catch (thrown) {
      this.#fault = thrown as Error;
    } finally {
      this.#work = null;
      // After a fault too: the next `take` tells the sender.
      this.#resume();
    }
  }

  #resume(): void {
    const resume = this.#onRoom;
    this.#onRoom = null;
    resume?.();
  }
}
