/** Many small arrays out of few large ones: a garbage collector pays for each buffer outside its heap. */

const SLAB_BYTES = 512 * 1024;
/** What is larger than this share of a slab gets a buffer of its own. */
const LARGE_BYTES = SLAB_BYTES / 4;

/**
 * Hands out arrays that lie side by side in slabs. A slab lives as long as any of its arrays: use one allocator for what
 * is let go together (the pictures of one stream).
 */
export class ByteSlab {
  #slab: ArrayBuffer | null = null;
  #used = 0;

  /** An array of that many bytes; its content is not cleared. */
  allocate(bytes: number): Uint8Array {
    if (bytes > LARGE_BYTES) return new Uint8Array(bytes);
    if (this.#slab === null || this.#used + bytes > SLAB_BYTES) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#used = 0;
    }
    const array = new Uint8Array(this.#slab, this.#used, bytes);
    this.#used += bytes;
    return array;
  }
}
