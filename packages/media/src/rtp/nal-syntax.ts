/** What a receiver must know of the two codecs' NAL units: kinds, and how RTP packs them. */

/** Where a payload's NAL units go. */
export interface NalSink {
  whole(nal: Uint8Array): void;
  /** Begins a fragmented NAL unit: its header, then its first bytes. */
  first(header: readonly number[], body: Uint8Array): void;
  /** False when nothing was begun. */
  middle(body: Uint8Array, isLast: boolean): boolean;
}

export type RtpVideoCodec = "h264" | "h265";

/** What a NAL unit is to a receiver. `sets` counts parameter sets from 0: VPS, SPS, PPS in the order a decoder wants. */
export interface NalSyntax {
  /** A slice of a picture. */
  isPicture(header: number): boolean;
  /** A slice that a decoder can start at: IDR (H.264), IRAP (H.265). */
  isRandomAccess(header: number): boolean;
  /** Which parameter set it is, or -1. */
  parameterSet(header: number): number;
  readonly parameterSets: number;
  /** No later picture refers to it: it may be dropped alone. */
  isDisposable(header: number): boolean;
  /** Takes an RTP payload apart. False when it breaks the payload format: the picture is lost. */
  unpack(payload: Uint8Array, sink: NalSink): boolean;
}

/** RFC 6184 (packetization-mode 0 and 1): single NAL units, STAP-A, FU-A. */
const H264: NalSyntax = {
  isPicture: (header) => (header & 0x1f) >= 1 && (header & 0x1f) <= 5,
  isRandomAccess: (header) => (header & 0x1f) === 5,
  parameterSet: (header) => ((header & 0x1f) === 7 ? 0 : (header & 0x1f) === 8 ? 1 : -1),
  parameterSets: 2,
  isDisposable: (header) => (header & 0x60) === 0,
  unpack(payload, sink) {
    if (payload.length < 1) return false;
    const type = (payload[0] as number) & 0x1f;
    if (type >= 1 && type <= 23) {
      sink.whole(payload);
      return true;
    }
    if (type === 24) return unpackAggregate(payload, 1, sink);
    if (type !== 28 || payload.length < 3) return false;
    const fu = payload[1] as number;
    const body = payload.subarray(2);
    if ((fu & 0x80) === 0) return sink.middle(body, (fu & 0x40) !== 0);
    sink.first([((payload[0] as number) & 0xe0) | (fu & 0x1f)], body);
    return (fu & 0x40) === 0 || sink.middle(body.subarray(body.length), true);
  },
};

const h265Type = (header: number): number => (header >> 1) & 0x3f;

/** RFC 7798 (without DONL): single NAL units, aggregation packets, fragmentation units. */
const H265: NalSyntax = {
  isPicture: (header) => h265Type(header) < 32,
  isRandomAccess: (header) => h265Type(header) >= 16 && h265Type(header) <= 23,
  parameterSet: (header) => (h265Type(header) >= 32 && h265Type(header) <= 34 ? h265Type(header) - 32 : -1),
  parameterSets: 3,
  // Sub-layer non-reference pictures: even types below 16 (ITU-T H.265 table 7-1).
  isDisposable: (header) => h265Type(header) < 16 && (h265Type(header) & 1) === 0,
  unpack(payload, sink) {
    if (payload.length < 3) return false;
    const type = h265Type(payload[0] as number);
    if (type < 48) {
      sink.whole(payload);
      return true;
    }
    if (type === 48) return unpackAggregate(payload, 2, sink);
    if (type !== 49 || payload.length < 4) return false;
    const fu = payload[2] as number;
    const body = payload.subarray(3);
    if ((fu & 0x80) === 0) return sink.middle(body, (fu & 0x40) !== 0);
    const header = ((payload[0] as number) & 0x81) | ((fu & 0x3f) << 1);
    sink.first([header, payload[1] as number], body);
    return (fu & 0x40) === 0 || sink.middle(body.subarray(body.length), true);
  },
};

/** STAP-A (RFC 6184 §5.7.1) and AP (RFC 7798 §4.4.2): 16-bit sizes before NAL units. */
function unpackAggregate(payload: Uint8Array, headerBytes: number, sink: NalSink): boolean {
  let at = headerBytes;
  while (at + 2 <= payload.length) {
    const size = ((payload[at] as number) << 8) | (payload[at + 1] as number);
    at += 2;
    if (size === 0 || at + size > payload.length) return false;
    sink.whole(payload.subarray(at, at + size));
    at += size;
  }
  return at === payload.length && at > headerBytes;
}

export function nalSyntax(codec: RtpVideoCodec): NalSyntax {
  return codec === "h264" ? H264 : H265;
}
