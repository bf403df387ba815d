/** RTP packets (RFC 3550 §5.1), read in place. */

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  /** In units of the stream's clock (90 kHz for video). */
  readonly timestamp: number;
  readonly ssrc: number;
  /** A view of the packet's bytes. */
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 12;

/** Reads one packet; null for anything that is none. Nothing is copied. */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket | null {
  if (bytes.length < HEADER_BYTES) return null;
  const first = bytes[0] as number;
  if (first >> 6 !== 2) return null;
  let start = HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return null;
    start += 4 + (u16(bytes, start + 2) << 2);
  }
  let end = bytes.length;
  if ((first & 0x20) !== 0) {
    const padding = bytes[end - 1] as number;
    if (padding === 0) return null;
    end -= padding;
  }
  if (start > end) return null;
  const second = bytes[1] as number;
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: u16(bytes, 2),
    timestamp: u32(bytes, 4),
    ssrc: u32(bytes, 8),
    payload: bytes.subarray(start, end),
  };
}

/** How far `sequence` is ahead of `before`, -32768..32767: sequence numbers wrap at 2^16 (RFC 3550 A.1). */
export function sequenceAdvance(before: number, sequence: number): number {
  return ((sequence - before) << 16) >> 16;
}

/** How far `timestamp` is ahead of `before`: RTP time wraps at 2^32. */
export function timestampAdvance(before: number, timestamp: number): number {
  return (timestamp - before) | 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}
