/** Sequence parameter set of H.264 (ITU-T H.264 7.3.2.1.1): just enough to size a picture and name its codec. */
import { NAL, nalType, unescapeNal } from "./annexb.ts";
import { BitReader } from "./bit-reader.ts";
import { MediaError } from "./errors.ts";

export interface SpsInfo {
  /** profile_idc: 66 baseline, 77 main, 100 high. */
  readonly profile: number;
  /** constraint_set flags and reserved bits, as one byte. */
  readonly constraints: number;
  /** level_idc: 31 is level 3.1. */
  readonly level: number;
  /** Picture size in pixels, after cropping. */
  readonly width: number;
  readonly height: number;
  /** chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** RFC 6381 name for MSE and WebCodecs, e.g. `avc1.64001f`. */
  readonly codecString: string;
}

/** Profiles whose SPS carries chroma_format_idc and scaling matrices (7.3.2.1.1). */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** Level 6.2 allows 139264 macroblocks; no side may exceed sqrt(8 * MaxFS) macroblocks (A.3.1). */
const MAX_SIDE_MACROBLOCKS = 1055;

function invalid(what: string): MediaError {
  return new MediaError("SPS_INVALID", `the H.264 sequence parameter set is damaged: ${what}`);
}

/** scaling_list(), 7.3.2.1.1.1: read over. */
function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    if (next !== 0) last = next;
  }
}

interface SampleFormat {
  readonly chromaFormat: number;
  readonly separatePlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

/** What profiles below High always have. */
const PLAIN_FORMAT: SampleFormat = {
  chromaFormat: 1,
  separatePlanes: false,
  bitDepthLuma: 8,
  bitDepthChroma: 8,
};

/** The part that only the high profiles have. */
function readSampleFormat(reader: BitReader): SampleFormat {
  const chromaFormat = reader.unsigned();
  if (chromaFormat > 3) throw invalid(`chroma_format_idc ${chromaFormat}`);
  const separatePlanes = chromaFormat === 3 && reader.bit() === 1;
  const bitDepthLuma = reader.unsigned() + 8;
  const bitDepthChroma = reader.unsigned() + 8;
  if (bitDepthLuma > 14 || bitDepthChroma > 14) throw invalid("bit depth above 14");
  reader.bit(); // qpprime_y_zero_transform_bypass_flag
  if (reader.bit() === 1) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let i = 0; i < lists; i++) if (reader.bit() === 1) skipScalingList(reader, i < 6 ? 16 : 64);
  }
  return { chromaFormat, separatePlanes, bitDepthLuma, bitDepthChroma };
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.unsigned();
  if (type > 2) throw invalid(`pic_order_cnt_type ${type}`);
  if (type === 0) reader.unsigned();
  if (type !== 1) return;
  reader.bit();
  reader.signed();
  reader.signed();
  const cycle = reader.unsigned();
  if (cycle > 255) throw invalid("num_ref_frames_in_pic_order_cnt_cycle above 255");
  for (let i = 0; i < cycle; i++) reader.signed();
}

function hex2(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/**
 * Parses an SPS NAL unit (without start code, emulation prevention still in place).
 *
 * @throws MediaError SPS_INVALID for anything that is not a sound SPS
 */
export function parseSps(nal: Uint8Array): SpsInfo {
  if (nalType(nal) !== NAL.sps || nal.length < 5) throw invalid("it is not an SPS");
  const rbsp = unescapeNal(nal.length > 4096 ? nal.subarray(0, 4096) : nal);
  const reader = new BitReader(rbsp.subarray(1), invalid);
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  if (reader.unsigned() > 31) throw invalid("seq_parameter_set_id above 31");
  const { separatePlanes, ...format } = HIGH_PROFILES.has(profile) ? readSampleFormat(reader) : PLAIN_FORMAT;
  if (reader.unsigned() > 12) throw invalid("log2_max_frame_num above 16");
  skipPictureOrder(reader);
  if (reader.unsigned() > 16) throw invalid("more than 16 reference frames");
  reader.bit(); // gaps_in_frame_num_value_allowed_flag
  const widthMbs = reader.unsigned() + 1;
  const heightMapUnits = reader.unsigned() + 1;
  const frameMbsOnly = reader.bit();
  if (frameMbsOnly === 0) reader.bit(); // mb_adaptive_frame_field_flag
  reader.bit(); // direct_8x8_inference_flag
  const heightMbs = heightMapUnits * (2 - frameMbsOnly);
  if (widthMbs > MAX_SIDE_MACROBLOCKS || heightMbs > MAX_SIDE_MACROBLOCKS) throw invalid("picture too large");

  // Cropping, equations 7-19 to 7-22: in chroma sample units, in frame lines.
  const chromaArray = separatePlanes ? 0 : format.chromaFormat;
  const cropX = chromaArray === 1 || chromaArray === 2 ? 2 : 1;
  const cropY = (chromaArray === 1 ? 2 : 1) * (2 - frameMbsOnly);
  let width = widthMbs * 16;
  let height = heightMbs * 16;
  if (reader.bit() === 1) {
    width -= cropX * (reader.unsigned() + reader.unsigned());
    height -= cropY * (reader.unsigned() + reader.unsigned());
  }
  if (width < 1 || height < 1) throw invalid("cropping leaves no picture");
  return {
    profile,
    constraints,
    level,
    width,
    height,
    ...format,
    codecString: `avc1.${hex2(profile)}${hex2(constraints)}${hex2(level)}`,
  };
}
