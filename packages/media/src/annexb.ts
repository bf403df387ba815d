/** H.264 byte streams: Annex B start codes, and the length-prefixed form of ISO/IEC 14496-15 (AVCC). */
import { concatBytes, readU32, writeU32 } from "./bytes.ts";
import { MediaError } from "./errors.ts";

/** nal_unit_type values that we name (ITU-T H.264 table 7-1). */
export const NAL = {
  slice: 1,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  aud: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
} as const;

/** An access unit delimiter that allows any slice type (ITU-T H.264 7.3.2.4, primary_pic_type 7). */
const AUD_NAL: Uint8Array = Uint8Array.of(NAL.aud, 0xf0);
const START_CODE_LENGTH = 4;

export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

/**
 * Index of the next `00 00 01` at or after `from`, or -1. Looks at every third byte: a byte above 1 cannot be
 * part of a start code that ends within the next two.
 */
function findStartCode(bytes: Uint8Array, from: number): number {
  let i = from + 2;
  while (i < bytes.length) {
    const byte = bytes[i] as number;
    if (byte > 1) i += 3;
    else if (byte === 0) i += 1;
    else if (bytes[i - 1] === 0 && bytes[i - 2] === 0) return i - 2;
    else i += 3;
  }
  return -1;
}

/**
 * Splits an Annex B byte stream (ITU-T H.264 B.1.1) into its NAL units, without start codes and without the
 * zero bytes that may trail a unit. Views into `bytes`, nothing is copied. Bytes before the first start code
 * are ignored; without any start code the result is empty.
 */
export function splitNals(bytes: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let start = findStartCode(bytes, 0);
  while (start >= 0) {
    const begin = start + 3;
    const next = findStartCode(bytes, begin);
    let end = next < 0 ? bytes.length : next;
    while (end > begin && bytes[end - 1] === 0) end -= 1;
    if (end > begin) nals.push(bytes.subarray(begin, end));
    start = next;
  }
  return nals;
}

/** Writes NAL units as one Annex B byte stream with 4-byte start codes. */
export function joinAnnexB(nals: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const nal of nals) length += START_CODE_LENGTH + nal.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const nal of nals) {
    out[at + 3] = 1;
    out.set(nal, at + START_CODE_LENGTH);
    at += START_CODE_LENGTH + nal.length;
  }
  return out;
}

/** Writes NAL units with a 4-byte big-endian length before each (ISO/IEC 14496-15 5.3.4.2). */
export function joinAvcc(nals: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const nal of nals) length += 4 + nal.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const nal of nals) {
    writeU32(out, at, nal.length);
    out.set(nal, at + 4);
    at += 4 + nal.length;
  }
  return out;
}

/**
 * Splits length-prefixed NAL units. `lengthSize` is lengthSizeMinusOne + 1 of the configuration record.
 *
 * @throws MediaError NAL_INVALID when a length reaches past the end
 */
export function splitAvcc(bytes: Uint8Array, lengthSize: 1 | 2 | 4 = 4): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + lengthSize > bytes.length) throw new MediaError("NAL_INVALID", "a NAL length field is cut off");
    let length = 0;
    if (lengthSize === 4) length = readU32(bytes, at);
    else for (let i = 0; i < lengthSize; i++) length = length * 256 + (bytes[at + i] as number);
    at += lengthSize;
    if (length > bytes.length - at)
      throw new MediaError("NAL_INVALID", "a NAL unit reaches past the end of its sample");
    if (length > 0) nals.push(bytes.subarray(at, at + length));
    at += length;
  }
  return nals;
}

export function annexBToAvcc(annexB: Uint8Array): Uint8Array {
  return joinAvcc(splitNals(annexB));
}

/** @throws MediaError NAL_INVALID */
export function avccToAnnexB(avcc: Uint8Array, lengthSize: 1 | 2 | 4 = 4): Uint8Array {
  return joinAnnexB(splitAvcc(avcc, lengthSize));
}

/** Does the Annex B access unit hold an IDR slice, so that a decoder can start here? */
export function isKeyframe(annexB: Uint8Array): boolean {
  let start = findStartCode(annexB, 0);
  while (start >= 0) {
    const type = (annexB[start + 3] ?? 0) & 0x1f;
    if (type === NAL.idr) return true;
    if (type === NAL.slice) return false;
    start = findStartCode(annexB, start + 3);
  }
  return false;
}

/** The NAL units a decoder needs before the first slice. */
export interface ParameterSets {
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** The last SPS and PPS of an Annex B access unit (without start codes), or undefined when one is missing. */
export function extractParameterSets(annexB: Uint8Array): ParameterSets | undefined {
  let sps: Uint8Array | undefined;
  let pps: Uint8Array | undefined;
  for (const nal of splitNals(annexB)) {
    const type = nalType(nal);
    if (type === NAL.sps) sps = nal;
    else if (type === NAL.pps) pps = nal;
    else if (type === NAL.slice || type === NAL.idr) break;
  }
  return sps && pps ? { sps, pps } : undefined;
}

/**
 * Begins an access unit with an access unit delimiter, so that a decoder fed through a pipe knows at once that
 * the previous picture is complete (ITU-T H.264 7.4.1.2.3). Returns the same array when one is there.
 */
export function withDelimiter(annexB: Uint8Array): Uint8Array {
  const first = findStartCode(annexB, 0);
  if (first >= 0 && ((annexB[first + 3] ?? 0) & 0x1f) === NAL.aud) return annexB;
  return concatBytes([joinAnnexB([AUD_NAL]), annexB]);
}

/** Removes emulation prevention bytes: NAL unit -> RBSP with its one-byte header (ITU-T H.264 7.3.1). */
export function unescapeNal(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}
