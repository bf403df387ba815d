// Frames of Modbus TCP: MODBUS Messaging on TCP/IP 1.0b §3.1.3, MODBUS Application Protocol 1.1b3 §6.1 to §6.4 and §7.
import type { RegisterTable } from "../../domain/sensors/registers.ts";

const HEADER_BYTES = 7;
/** Unit and PDU: an ADU is 260 bytes at most. */
const MAX_LENGTH = 254;
const EXCEPTION = 0x80;

const FUNCTION_OF: Readonly<Record<RegisterTable, number>> = {
  coil: 1,
  discrete_input: 2,
  holding_register: 3,
  input_register: 4,
};

export interface ReadRequest {
  readonly unitId: number;
  readonly table: RegisterTable;
  readonly address: number;
  /** Bits or words. */
  readonly count: number;
}

export function encodeRead(transaction: number, { unitId, table, address, count }: ReadRequest): Buffer {
  const frame = Buffer.alloc(12);
  frame.writeUInt16BE(transaction, 0);
  frame.writeUInt16BE(6, 4);
  frame.writeUInt8(unitId, 6);
  frame.writeUInt8(FUNCTION_OF[table], 7);
  frame.writeUInt16BE(address, 8);
  frame.writeUInt16BE(count, 10);
  return frame;
}

export interface Frame {
  readonly transaction: number;
  readonly unitId: number;
  /** Function code and data. */
  readonly pdu: Uint8Array;
}

/** Cuts a byte stream into frames. Holds at most one frame that is not complete. */
export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns null when the bytes are not Modbus TCP */
  feed(chunk: Uint8Array): Frame[] | null {
    let bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (bytes.length >= HEADER_BYTES) {
      const length = bytes.readUInt16BE(4);
      if (bytes.readUInt16BE(2) !== 0 || length < 2 || length > MAX_LENGTH) return null;
      if (bytes.length < 6 + length) break;
      frames.push({
        transaction: bytes.readUInt16BE(0),
        unitId: bytes.readUInt8(6),
        pdu: bytes.subarray(7, 6 + length),
      });
      bytes = bytes.subarray(6 + length);
    }
    this.#rest = Buffer.from(bytes);
    return frames;
  }
}

export type ReadAnswer =
  | { readonly kind: "data"; readonly data: Uint8Array }
  | { readonly kind: "exception"; readonly exception: number }
  | { readonly kind: "malformed" };

/** What a frame says to a request: its data bytes, as many as were asked for. */
export function decodeAnswer({ table, count, unitId }: ReadRequest, frame: Frame): ReadAnswer {
  const [code = 0, length = 0] = frame.pdu;
  const asked = FUNCTION_OF[table];
  if (frame.unitId !== unitId) return { kind: "malformed" };
  if (code === (asked | EXCEPTION) && frame.pdu.length === 2) return { kind: "exception", exception: length };
  const isBits = table === "coil" || table === "discrete_input";
  const expected = isBits ? Math.ceil(count / 8) : count * 2;
  if (code !== asked || length !== expected || frame.pdu.length !== 2 + expected)
    return { kind: "malformed" };
  return { kind: "data", data: frame.pdu.subarray(2) };
}
