/** A minimal writer of the protocol-buffers wire format (https://protobuf.dev/programming-guides/encoding/). */

const WIRE_VARINT = 0;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_FIXED32 = 5;

/** Appends fields in the order of the calls, so that equal calls give equal bytes. */
export class ProtoWriter {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  /** int32, int64, enum and bool fields; negative numbers take ten bytes, as the format demands. */
  integer(field: number, value: number | bigint): this {
    return this.#push(varint(tag(field, WIRE_VARINT)), varint(BigInt.asUintN(64, BigInt(value))));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(varint(tag(field, WIRE_FIXED32)), bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint(tag(field, WIRE_LENGTH_DELIMITED)), varint(BigInt(value.byteLength)), value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.finish());
  }

  /** A packed repeated integer field. */
  packed(field: number, values: readonly number[]): this {
    const packed = values.map((value) => varint(BigInt.asUintN(64, BigInt(value))));
    return this.bytes(field, Buffer.concat(packed));
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#size);
  }

  #push(...chunks: Uint8Array[]): this {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#size += chunk.byteLength;
    }
    return this;
  }
}

function tag(field: number, wireType: number): bigint {
  return BigInt(field * 8 + wireType);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
