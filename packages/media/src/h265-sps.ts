/** Sequence parameter set of H.265 (ITU-T H.265 7.3.2.2): just enough to size a picture. */
import { splitNals, unescapeNal } from "./annexb.ts";
import { BitReader } from "./bit-reader.ts";
import { MediaError } from "./errors.ts";

export interface H265SpsInfo {
  /** general_profile_idc: 1 Main, 2 Main 10. */
  readonly profile: number;
  /** general_level_idc: 93 is level 3.1. */
  readonly level: number;
  /** Picture size in pixels, inside the conformance window. */
  readonly width: number;
  readonly height: number;
  /** chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

/** nal_unit_type (table 7-1): below 32 are the slices. */
const SPS = 33;
const FIRST_NON_SLICE = 32;
const HEADER_BYTES = 2;
/** No side may exceed sqrt(8 * MaxLumaPs), level 6.2 (A.4.1). */
const MAX_SIDE = 16_888;
const MAX_SPS_BYTES = 4_096;

const typeOf = (nal: Uint8Array): number => ((nal[0] ?? 0) >> 1) & 0x3f;

function invalid(what: string): MediaError {
  return new MediaError("SPS_INVALID", `the H.265 sequence parameter set is damaged: ${what}`);
}

/** The last SPS before the first slice of an Annex B access unit (without start code); undefined without one. */
export function extractH265Sps(annexB: Uint8Array): Uint8Array | undefined {
  let sps: Uint8Array | undefined;
  for (const nal of splitNals(annexB)) {
    const type = typeOf(nal);
    if (type === SPS) sps = nal;
    else if (type < FIRST_NON_SLICE) break;
  }
  return sps;
}

/** profile_tier_level(1, n), 7.3.3. */
function readProfile(reader: BitReader, subLayers: number): { profile: number; level: number } {
  reader.bits(3); // general_profile_space, general_tier_flag
  const profile = reader.bits(5);
  reader.bits(32); // compatibility flags
  reader.bits(48); // constraint flags
  const level = reader.bits(8);
  const present = Array.from({ length: subLayers }, () => [reader.bit(), reader.bit()] as const);
  if (subLayers > 0) reader.bits(2 * (8 - subLayers));
  for (const [hasProfile, hasLevel] of present) reader.bits(88 * hasProfile + 8 * hasLevel);
  return { profile, level };
}

/** Width and height less the conformance window, which is in units of chroma samples (table 6-1). */
function readSize(reader: BitReader, chromaArray: number): { width: number; height: number } {
  let width = reader.unsigned();
  let height = reader.unsigned();
  if (width > MAX_SIDE || height > MAX_SIDE) throw invalid("picture too large");
  if (reader.bit() === 1) {
    const unitX = chromaArray === 1 || chromaArray === 2 ? 2 : 1;
    const unitY = chromaArray === 1 ? 2 : 1;
    width -= unitX * (reader.unsigned() + reader.unsigned());
    height -= unitY * (reader.unsigned() + reader.unsigned());
  }
  if (width < 1 || height < 1) throw invalid("the conformance window leaves no picture");
  return { width, height };
}

/**
 * Parses an SPS NAL unit (without start code, emulation prevention still in place).
 *
 * @throws MediaError SPS_INVALID for anything that is not a sound SPS
 */
export function parseH265Sps(nal: Uint8Array): H265SpsInfo {
  if (typeOf(nal) !== SPS || nal.length < 8) throw invalid("it is not an SPS");
  const rbsp = unescapeNal(nal.length > MAX_SPS_BYTES ? nal.subarray(0, MAX_SPS_BYTES) : nal);
  const reader = new BitReader(rbsp.subarray(HEADER_BYTES), invalid);
  reader.bits(4); // sps_video_parameter_set_id
  const subLayers = reader.bits(3);
  if (subLayers > 6) throw invalid("more than 7 temporal layers");
  reader.bit(); // sps_temporal_id_nesting_flag
  const { profile, level } = readProfile(reader, subLayers);
  if (reader.unsigned() > 15) throw invalid("sps_seq_parameter_set_id above 15");
  const chromaFormat = reader.unsigned();
  if (chromaFormat > 3) throw invalid(`chroma_format_idc ${chromaFormat}`);
  const hasSeparatePlanes = chromaFormat === 3 && reader.bit() === 1;
  const size = readSize(reader, hasSeparatePlanes ? 0 : chromaFormat);
  const bitDepthLuma = reader.unsigned() + 8;
  const bitDepthChroma = reader.unsigned() + 8;
  if (bitDepthLuma > 16 || bitDepthChroma > 16) throw invalid("bit depth above 16");
  return { profile, level, ...size, chromaFormat, bitDepthLuma, bitDepthChroma };
}
