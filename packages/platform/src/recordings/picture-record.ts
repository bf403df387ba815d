// Records of pictures in segments and clips; the layout stands in contracts (recordings.ts).
import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from "@huishi/contracts";
import { crc32 } from "node:zlib";

export const PICTURE_RECORD = 2;
export const MANIFEST_RECORD = 3;

export interface RecordHead {
  readonly type: number;
  readonly keyframe: boolean;
  /** Of the payload. */
  readonly length: number;
  readonly capturedAtMs: number;
  readonly ptsMs: number;
  readonly crc: number;
}

export interface PictureRecord {
  readonly keyframe: boolean;
  readonly capturedAtMs: number;
  readonly ptsMs: number;
  /** The camera's own access unit. */
  readonly annexB: Uint8Array;
}

/** The header of a record; the payload follows it unchanged. */
export function encodeRecordHead(record: {
  type: number;
  keyframe: boolean;
  capturedAtMs: number;
  ptsMs: number;
  payload: Uint8Array;
}): Buffer {
  const head = Buffer.alloc(RECORD_HEADER_BYTES);
  head.writeUInt8(record.type, 0);
  head.writeUInt8(record.keyframe ? 1 : 0, 1);
  head.writeUInt32BE(record.payload.byteLength, 4);
  head.writeDoubleBE(record.capturedAtMs, 8);
  head.writeDoubleBE(record.ptsMs, 16);
  head.writeUInt32BE(crc32(record.payload, crc32(head.subarray(0, 24))), 24);
  return head;
}

/** The head of a record, or null when these bytes cannot begin one. */
export function decodeRecordHead(bytes: Buffer): RecordHead | null {
  if (bytes.byteLength < RECORD_HEADER_BYTES) return null;
  const type = bytes.readUInt8(0);
  const length = bytes.readUInt32BE(4);
  const isKnown = type === PICTURE_RECORD || type === MANIFEST_RECORD;
  if (!isKnown || length > MAX_RECORD_BYTES || bytes.readUInt16BE(2) !== 0) return null;
  return {
    type,
    keyframe: (bytes.readUInt8(1) & 1) !== 0,
    length,
    capturedAtMs: bytes.readDoubleBE(8),
    ptsMs: bytes.readDoubleBE(16),
    crc: bytes.readUInt32BE(24),
  };
}

/** Whether the record is what was written. */
export function isRecordSound(head: Buffer, payload: Uint8Array): boolean {
  return crc32(payload, crc32(head.subarray(0, 24))) === head.readUInt32BE(24);
}

/**
 * Cuts pictures out of a stream of records, whatever the chunks are. Ends silently where a record is cut off or
 * damaged: `readBytes` says how much was good.
 */
export class RecordReader {
  #left: Buffer = Buffer.alloc(0);
  #readBytes = 0;
  #isDamaged = false;

  /** Bytes of whole, sound records so far. */
  get readBytes(): number {
    return this.#readBytes;
  }

  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  *push(chunk: Uint8Array): Generator<RecordHead & { readonly payload: Buffer; readonly bytes: Buffer }> {
    if (this.#isDamaged) return;
    this.#left = this.#left.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([this.#left, chunk]);
    let at = 0;
    while (this.#left.byteLength - at >= RECORD_HEADER_BYTES) {
      const headBytes = this.#left.subarray(at, at + RECORD_HEADER_BYTES);
      const head = decodeRecordHead(headBytes);
      const end = at + RECORD_HEADER_BYTES + (head?.length ?? 0);
      if (head && end > this.#left.byteLength) break;
      const payload = this.#left.subarray(at + RECORD_HEADER_BYTES, end);
      if (!head || !isRecordSound(headBytes, payload)) {
        this.#isDamaged = true;
        return;
      }
      const bytes = this.#left.subarray(at, end);
      at = end;
      this.#readBytes += bytes.byteLength;
      yield { ...head, payload, bytes };
    }
    this.#left = this.#left.subarray(at);
  }
}

/** The pictures of a clip's content, one after the other. @throws Error when a record is damaged or cut off */
export async function* picturesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<PictureRecord> {
  const reader = new RecordReader();
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    for (const { keyframe, capturedAtMs, ptsMs, payload } of reader.push(chunk))
      yield { keyframe, capturedAtMs, ptsMs, annexB: payload };
  }
  if (reader.isDamaged || reader.readBytes !== bytes)
    throw new Error(`the pictures are damaged behind byte ${reader.readBytes}`);
}
