import type { MediaError } from "./errors.ts";

/** Reads the bits of a raw byte sequence payload, most significant first (H.264 and H.265, clause 7.2). */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #fault: (what: string) => MediaError;
  #at = 0;

  /** @param fault what is thrown when the bytes are not what they should be */
  constructor(bytes: Uint8Array, fault: (what: string) => MediaError) {
    this.#bytes = bytes;
    this.#fault = fault;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw this.#fault("it ends too early");
    const bit = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  /** ue(v), clause 9.1 of H.264, 9.2 of H.265. */
  unsigned(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > 31) throw this.#fault("an Exp-Golomb code is longer than 32 bits");
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}
