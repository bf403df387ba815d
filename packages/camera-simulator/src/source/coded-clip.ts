/** A short encoded clip in memory: pictures that a stream repeats, or plays instead of its own. */
import { splitNals } from "@huishi/media";

export type VideoCodec = "h264" | "h265";

export interface CodedPicture {
  /** NAL units without start codes. */
  readonly nals: readonly Uint8Array[];
  readonly keyframe: boolean;
}

export interface CodedClip {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** Starts with a keyframe that carries its parameter sets. */
  readonly pictures: readonly CodedPicture[];
  /** One picture in so many of the stream's; 1 for an ordinary clip. */
  readonly everyTicks: number;
}

/** nal_unit_type values of ITU-T H.265 table 7-1. */
export const HEVC_NAL = { cra: 21, idr: 19, bla: 16, vps: 32, sps: 33, pps: 34, aud: 35 } as const;

/** nal_unit_type of a two-byte H.265 NAL unit header (ITU-T H.265 7.3.1.2). */
export function hevcNalType(nal: Uint8Array): number {
  return ((nal[0] ?? 0) >> 1) & 0x3f;
}

function isDelimiter(codec: VideoCodec, nal: Uint8Array): boolean {
  return codec === "h264" ? ((nal[0] ?? 0) & 0x1f) === 9 : hevcNalType(nal) === HEVC_NAL.aud;
}

function startsGroup(codec: VideoCodec, nal: Uint8Array): boolean {
  if (codec === "h264") return ((nal[0] ?? 0) & 0x1f) === 5;
  const type = hevcNalType(nal);
  return type >= HEVC_NAL.bla && type <= HEVC_NAL.cra;
}

/** Cuts an elementary stream with access unit delimiters into its pictures; the delimiters go. */
export function splitPictures(codec: VideoCodec, annexB: Uint8Array): CodedPicture[] {
  const groups: Uint8Array[][] = [];
  for (const nal of splitNals(annexB)) {
    if (isDelimiter(codec, nal)) groups.push([]);
    else groups.at(-1)?.push(nal);
  }
  return groups
    .filter((nals) => nals.length > 0)
    .map((nals) => ({ nals, keyframe: nals.some((nal) => startsGroup(codec, nal)) }));
}

export interface HevcParameterSets {
  readonly vps: Uint8Array;
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** The first parameter sets of a picture; undefined unless all three are there. */
export function hevcParameterSets(nals: readonly Uint8Array[]): HevcParameterSets | undefined {
  const find = (type: number): Uint8Array | undefined => nals.find((nal) => hevcNalType(nal) === type);
  const [vps, sps, pps] = [HEVC_NAL.vps, HEVC_NAL.sps, HEVC_NAL.pps].map(find);
  return vps && sps && pps ? { vps, sps, pps } : undefined;
}
