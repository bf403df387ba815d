import { HuishiError } from "@huishi/kernel";

/**
 * Framing of upload chunks (`huishi/v1/{agent}/upload/{transfer}`, QoS 1). Big endian:
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | flags: bit 0 last chunk |
 * | 2 | 2 | reserved, 0 |
 * | 4 | 4 | reserved, 0 |
 * | 8 | 8 | where the bytes stand in the whole |
 * | 16 | - | bytes |
 *
 * The same chunk may come twice (QoS 1); chunks of one transfer come in order otherwise.
 */
export const UPLOAD_HEADER_BYTES = 16;
export const MAX_UPLOAD_CHUNK_BYTES = 64 * 1024;
export const MAX_UPLOAD_DATA_BYTES = MAX_UPLOAD_CHUNK_BYTES - UPLOAD_HEADER_BYTES;
/** Largest upload: 15 minutes of 8 Mbit/s and some. */
export const MAX_UPLOAD_BYTES = 1024 * 1024 * 1024;

export interface UploadChunk {
  readonly offset: number;
  readonly last: boolean;
  readonly data: Uint8Array;
}

export function encodeUploadChunk({ offset, last, data }: UploadChunk): Uint8Array {
  const message = new Uint8Array(UPLOAD_HEADER_BYTES + data.byteLength);
  const view = new DataView(message.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, last ? 1 : 0);
  view.setBigUint64(8, BigInt(offset));
  message.set(data, UPLOAD_HEADER_BYTES);
  return message;
}

/** @throws HuishiError UPLOAD_CHUNK on anything that is none. `data` is a view of `bytes`. */
export function decodeUploadChunk(bytes: Uint8Array): UploadChunk {
  const isShort = bytes.byteLength < UPLOAD_HEADER_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isShort || bytes.byteLength > MAX_UPLOAD_CHUNK_BYTES || view.getUint8(0) !== 1) {
    throw new HuishiError("UPLOAD_CHUNK", "this is no upload chunk of version 1");
  }
  const offset = Number(view.getBigUint64(8));
  const data = bytes.subarray(UPLOAD_HEADER_BYTES);
  if (!Number.isSafeInteger(offset) || offset + data.byteLength > MAX_UPLOAD_BYTES) {
    throw new HuishiError("UPLOAD_CHUNK", "the upload chunk lies beyond the largest upload");
  }
  return { offset, last: (view.getUint8(1) & 1) !== 0, data };
}
