import { HuishiError } from "@huishi/kernel";

/**
 * Framing of access units on MQTT and WebSocket. An access unit (ITU-T H.264 §3.2: one coded picture, Annex-B
 * here) is cut into fragments of at most 64 KiB, each behind this header (big endian):
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | flags: bit 0 keyframe, bit 1 discontinuity (units were dropped before this one) |
 * | 2 | 1 | codec: 1 H.264, 2 H.265 |
 * | 3 | 1 | reserved, 0 |
 * | 4 | 4 | unit number within the source's run, wraps at 2^32 |
 * | 8 | 8 | capture time, milliseconds since the Unix epoch |
 * | 16 | 4 | presentation time within the source's run, milliseconds, wraps at 2^32 |
 * | 20 | 2 | fragment index |
 * | 22 | 2 | fragment count |
 * | 24 | - | bytes |
 */
export const MEDIA_HEADER_BYTES = 24;
export const MAX_FRAGMENT_BYTES = 64 * 1024;
const MAX_FRAGMENT_DATA = MAX_FRAGMENT_BYTES - MEDIA_HEADER_BYTES;
/** Largest access unit that is relayed: a keyframe of an 8K camera stays below it. */
export const MAX_ACCESS_UNIT_BYTES = 8 * 1024 * 1024;

export type VideoCodec = "h264" | "h265";

/** One coded picture with its times. `data` is Annex-B; keyframes carry their parameter sets. */
export interface AccessUnit {
  readonly codec: VideoCodec;
  readonly keyframe: boolean;
  /** Units were dropped between the previous one and this. */
  readonly discontinuity: boolean;
  readonly unitNumber: number;
  readonly capturedAtMs: number;
  readonly ptsMs: number;
  readonly data: Uint8Array;
}

/**
 * Cuts one access unit into fragments, each ready to be published.
 *
 * @param allocate gives the bytes of one fragment; all of them are written
 */
export function fragmentAccessUnit(
  unit: AccessUnit,
  allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array[] {
  if (unit.data.byteLength === 0 || unit.data.byteLength > MAX_ACCESS_UNIT_BYTES) {
    throw new HuishiError(
      "MEDIA_UNIT_SIZE",
      `access unit of ${unit.data.byteLength} bytes is outside 1..${MAX_ACCESS_UNIT_BYTES}`,
    );
  }
  const count = Math.ceil(unit.data.byteLength / MAX_FRAGMENT_DATA);
  const fragments: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const body = unit.data.subarray(index * MAX_FRAGMENT_DATA, (index + 1) * MAX_FRAGMENT_DATA);
    const fragment = allocate(MEDIA_HEADER_BYTES + body.byteLength);
    writeMediaHeader(fragment, unit, index, count);
    fragment.set(body, MEDIA_HEADER_BYTES);
    fragments.push(fragment);
  }
  return fragments;
}

function writeMediaHeader(target: Uint8Array, unit: AccessUnit, index: number, count: number): void {
  const view = new DataView(target.buffer, target.byteOffset);
  view.setUint8(0, 1);
  view.setUint8(1, (unit.keyframe ? 1 : 0) | (unit.discontinuity ? 2 : 0));
  view.setUint8(2, unit.codec === "h264" ? 1 : 2);
  view.setUint8(3, 0);
  view.setUint32(4, unit.unitNumber >>> 0);
  view.setBigUint64(8, BigInt(Math.round(unit.capturedAtMs)));
  view.setUint32(16, Math.round(unit.ptsMs) >>> 0);
  view.setUint16(20, index);
  view.setUint16(22, count);
}

/** The whole access unit behind one header (fragment 0 of 1), whatever its size: the form that goes over a WebSocket. */
export function encodeAccessUnit(unit: AccessUnit): Uint8Array {
  const message = new Uint8Array(MEDIA_HEADER_BYTES + unit.data.byteLength);
  writeMediaHeader(message, unit, 0, 1);
  message.set(unit.data, MEDIA_HEADER_BYTES);
  return message;
}

/** Reads one whole unit (fragment 0 of 1). Throws MEDIA_HEADER on anything else. */
export function decodeAccessUnit(message: Uint8Array): AccessUnit {
  const fragment = readFragment(message);
  if (fragment.count !== 1)
    throw new HuishiError("MEDIA_HEADER", "a fragment where a whole access unit was expected");
  return fragment.unit;
}

interface Fragment {
  readonly unit: AccessUnit;
  readonly index: number;
  readonly count: number;
}

/** Reads one fragment; `unit.data` holds the fragment's bytes only. */
export function readFragment(bytes: Uint8Array): Fragment {
  if (bytes.byteLength <= MEDIA_HEADER_BYTES)
    throw new HuishiError("MEDIA_HEADER", "media fragment is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const codecCode = view.getUint8(2);
  if (view.getUint8(0) !== 1 || (codecCode !== 1 && codecCode !== 2)) {
    throw new HuishiError("MEDIA_HEADER", "unknown media framing version or codec");
  }
  const index = view.getUint16(20);
  const count = view.getUint16(22);
  if (
    count === 0 ||
    index >= count ||
    count * MAX_FRAGMENT_DATA > MAX_ACCESS_UNIT_BYTES + MAX_FRAGMENT_DATA
  ) {
    throw new HuishiError("MEDIA_HEADER", `fragment ${index} of ${count} is out of range`);
  }
  const flags = view.getUint8(1);
  return {
    index,
    count,
    unit: {
      codec: codecCode === 1 ? "h264" : "h265",
      keyframe: (flags & 1) !== 0,
      discontinuity: (flags & 2) !== 0,
      unitNumber: view.getUint32(4),
      capturedAtMs: Number(view.getBigUint64(8)),
      ptsMs: view.getUint32(16),
      data: bytes.subarray(MEDIA_HEADER_BYTES),
    },
  };
}

/**
 * Puts fragments of one stream together again. Fragments of one unit come in order on one connection; a gap
 * drops that unit and marks the next whole one as a discontinuity.
 */
export class AccessUnitAssembler {
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #current: AccessUnit | null = null;
  #lost = false;
  #droppedUnits = 0;
  #expectedUnitNumber: number | null = null;

  /** Units that arrived incompletely. */
  get droppedUnits(): number {
    return this.#droppedUnits;
  }

  /** Returns the finished access unit, or null while parts are missing. Throws MEDIA_HEADER on garbage. */
  push(bytes: Uint8Array): AccessUnit | null {
    const { unit, index, count } = readFragment(bytes);
    if (index === 0) {
      if (this.#current) this.#abandon();
      this.#current = unit;
      this.#parts = [];
      this.#partBytes = 0;
    } else if (
      !this.#current ||
      this.#current.unitNumber !== unit.unitNumber ||
      this.#parts.length !== index
    ) {
      if (this.#current) this.#abandon();
      this.#lost = true;
      return null;
    }
    this.#parts.push(unit.data);
    this.#partBytes += unit.data.byteLength;
    if (index + 1 < count) return null;
    return this.#finish();
  }

  #abandon(): void {
    this.#current = null;
    this.#parts = [];
    this.#droppedUnits += 1;
    this.#lost = true;
  }

  #finish(): AccessUnit {
    const first = this.#current as AccessUnit;
    const data =
      this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : concat(this.#parts, this.#partBytes);
    const skipped = this.#expectedUnitNumber !== null && first.unitNumber !== this.#expectedUnitNumber;
    const discontinuity = first.discontinuity || this.#lost || skipped;
    this.#expectedUnitNumber = (first.unitNumber + 1) >>> 0;
    this.#current = null;
    this.#parts = [];
    this.#lost = false;
    return { ...first, data, discontinuity };
  }
}

function concat(parts: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const joined = new Uint8Array(totalBytes);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.byteLength;
  }
  return joined;
}
