/**
 * Buffers of pictures that nobody looks at any more, for those that come. Fresh ones lie outside V8's heap, where every
 * 64 MB of them have the whole heap collected: with many cameras twice a second.
 */
export class PictureBuffers {
  readonly #mostSpare: number;
  #spare: Uint8Array[] = [];

  /** @param mostSpare kept at most; what is given beyond is left to the collector */
  constructor(mostSpare: number) {
    this.#mostSpare = mostSpare;
  }

  /** A buffer of exactly so many bytes; what is in it is anything. */
  take(bytes: number): Uint8Array {
    const buffer = this.#spare.pop();
    if (buffer?.length === bytes) return buffer;
    // Pictures have another size now: the old ones are of no use.
    this.#spare = [];
    return new Uint8Array(bytes);
  }

  /** The giver must not read it any more. */
  give(buffer: Uint8Array): void {
    if (this.#spare.length < this.#mostSpare) this.#spare.push(buffer);
  }
}
