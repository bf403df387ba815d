/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1): the body of `avcC` and of FLV's sequence header. */
import { NAL, nalType, type ParameterSets } from "./annexb.ts";
import { MediaError } from "./errors.ts";
import { parseSps } from "./sps.ts";

export interface AvcConfig {
  readonly lengthSize: 1 | 2 | 4;
  /** All SPS then all PPS, in order. */
  readonly parameterNals: readonly Uint8Array[];
}

/** Profiles whose record tells chroma format and bit depths as well. */
const EXTENDED_PROFILES = new Set([100, 110, 122, 144]);

function buildExtension(sps: Uint8Array): number[] {
  const { chromaFormat, bitDepthLuma, bitDepthChroma } = parseSps(sps);
  return [0xfc | chromaFormat, 0xf8 | (bitDepthLuma - 8), 0xf8 | (bitDepthChroma - 8), 0];
}

/** Builds the record for one SPS and one PPS with 4-byte NAL lengths. @throws MediaError SPS_INVALID, NAL_INVALID */
export function buildAvcConfig({ sps, pps }: ParameterSets): Uint8Array {
  if (sps.length < 4 || sps.length > 0xffff)
    throw new MediaError("SPS_INVALID", "the SPS has an impossible length");
  if (pps.length < 1 || pps.length > 0xffff)
    throw new MediaError("NAL_INVALID", "the PPS has an impossible length");
  const profile = sps[1] as number;
  const extension = EXTENDED_PROFILES.has(profile) ? buildExtension(sps) : [];
  const out = new Uint8Array(11 + sps.length + pps.length + extension.length);
  out.set([1, profile, sps[2] as number, sps[3] as number, 0xff, 0xe1, sps.length >> 8, sps.length & 0xff]);
  out.set(sps, 8);
  out.set([1, pps.length >> 8, pps.length & 0xff], 8 + sps.length);
  out.set(pps, 11 + sps.length);
  out.set(extension, 11 + sps.length + pps.length);
  return out;
}

/** @throws MediaError NAL_INVALID */
export function parseAvcConfig(record: Uint8Array): AvcConfig {
  if (record.length < 7 || record[0] !== 1)
    throw new MediaError("NAL_INVALID", "not an AVC configuration record");
  const lengthSize = ((record[4] as number) & 3) + 1;
  if (lengthSize === 3) throw new MediaError("NAL_INVALID", "NAL lengths of 3 bytes are not allowed");
  const parameterNals: Uint8Array[] = [];
  let at = 6;
  const take = (count: number, type: number): void => {
    for (let i = 0; i < count; i++) {
      const high = record[at];
      const low = record[at + 1];
      if (high === undefined || low === undefined)
        throw new MediaError("NAL_INVALID", "the AVC configuration is cut off");
      const nal = record.subarray(at + 2, at + 2 + high * 256 + low);
      if (nal.length !== high * 256 + low || nal.length === 0 || nalType(nal) !== type) {
        throw new MediaError("NAL_INVALID", "the AVC configuration holds a damaged parameter set");
      }
      parameterNals.push(nal);
      at += 2 + nal.length;
    }
  };
  take((record[5] as number) & 0x1f, NAL.sps);
  const ppsCount = record[at];
  if (ppsCount === undefined) throw new MediaError("NAL_INVALID", "the AVC configuration is cut off");
  at += 1;
  take(ppsCount, NAL.pps);
  return { lengthSize: lengthSize as 1 | 2 | 4, parameterNals };
}
