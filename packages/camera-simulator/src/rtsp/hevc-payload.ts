/** H.265 into RTP payloads (RFC 7798): aggregation packet of the parameter sets, single units, fragmentation units. Pure. */
import { HEVC_NAL, hevcNalType } from "../source/coded-clip.ts";

const AP = 48;
const FU = 49;
const HEADER_BYTES = 2;

/** Payloads of one picture, each as the parts that follow one another in the packet. */
export function hevcPayloads(nals: readonly Uint8Array[], maxPayload: number): Uint8Array[][] {
  return aggregateParameterSets(nals, maxPayload).flatMap((nal) =>
    nal.length <= maxPayload ? [[nal]] : fragment(nal, maxPayload),
  );
}

/** The payload header repeats layer and temporal id of the unit, and names the packet's own type (RFC 7798 §4.4). */
function payloadHeader(nal: Uint8Array, type: number): [number, number] {
  return [((nal[0] ?? 0) & 0x81) | (type << 1), nal[1] ?? 1];
}

/** VPS, SPS and PPS of a picture in one aggregation packet (RFC 7798 §4.4.2). */
function aggregateParameterSets(nals: readonly Uint8Array[], maxPayload: number): Uint8Array[] {
  const isSet = (nal: Uint8Array): boolean =>
    hevcNalType(nal) >= HEVC_NAL.vps && hevcNalType(nal) <= HEVC_NAL.pps;
  const sets = nals.filter(isSet);
  const rest = nals.filter((nal) => !isSet(nal));
  const size = sets.reduce((sum, nal) => sum + 2 + nal.length, HEADER_BYTES);
  const [first] = sets;
  if (!first || sets.length < 2 || size > maxPayload) return [...sets, ...rest];
  const aggregate = Buffer.alloc(size);
  aggregate.set(payloadHeader(first, AP));
  let at = HEADER_BYTES;
  for (const nal of sets) {
    aggregate.writeUInt16BE(nal.length, at);
    aggregate.set(nal, at + 2);
    at += 2 + nal.length;
  }
  return [aggregate, ...rest];
}

/** Cuts a unit into fragmentation units (RFC 7798 §4.4.3). */
function fragment(nal: Uint8Array, maxPayload: number): Uint8Array[][] {
  const header = payloadHeader(nal, FU);
  const type = hevcNalType(nal);
  const body = nal.subarray(HEADER_BYTES);
  const size = maxPayload - HEADER_BYTES - 1;
  const fragments: Uint8Array[][] = [];
  for (let at = 0; at < body.length; at += size) {
    const flags = (at === 0 ? 0x80 : 0) | (at + size >= body.length ? 0x40 : 0);
    fragments.push([Uint8Array.of(...header, flags | type), body.subarray(at, at + size)]);
  }
  return fragments;
}
