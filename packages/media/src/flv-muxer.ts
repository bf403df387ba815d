/** FLV muxer for H.264 (Adobe Flash Video File Format 10.1, annex E): feeds ffmpeg's stdin with real timestamps. */
import { NAL, type ParameterSets, extractParameterSets, joinAvcc, nalType, splitNals } from "./annexb.ts";
import { buildAvcConfig } from "./avc-config.ts";
import { concatBytes, copyBytes, equalBytes, writeU24, writeU32 } from "./bytes.ts";
import { MAX_FLV_TAG_BYTES } from "./flv-demuxer.ts";
import { MediaError } from "./errors.ts";

/** `FLV`, version 1, video only, then PreviousTagSize0. */
const FILE_HEADER = Uint8Array.of(0x46, 0x4c, 0x56, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0);

export interface FlvMuxerInput {
  readonly annexB: Uint8Array;
  readonly keyframe: boolean;
  readonly ptsMs: number;
  /** Default: `ptsMs` (streams without B pictures). */
  readonly dtsMs?: number;
}

function videoTag(
  payload: Uint8Array,
  frameType: 1 | 2,
  packetType: 0 | 1,
  dtsMs: number,
  compositionMs: number,
): Uint8Array {
  const size = 5 + payload.length;
  if (size > MAX_FLV_TAG_BYTES)
    throw new MediaError(
      "FLV_TAG_TOO_LARGE",
      `an access unit of ${payload.length} bytes is too large for FLV`,
    );
  const tag = new Uint8Array(11 + size + 4);
  tag[0] = 9;
  writeU24(tag, 1, size);
  writeU24(tag, 4, dtsMs & 0xffffff);
  tag[7] = (dtsMs >>> 24) & 0x7f;
  tag[11] = (frameType << 4) | 7;
  tag[12] = packetType;
  writeU24(tag, 13, compositionMs & 0xffffff);
  tag.set(payload, 16);
  writeU32(tag, 11 + size, 11 + size);
  return tag;
}

/**
 * Writes access units as one FLV stream. The file header comes with the first one; a sequence header comes
 * before it and again whenever SPS or PPS change. Times start at zero with the first unit.
 */
export class FlvMuxer {
  #parameterSets: ParameterSets | undefined;
  #originMs: number | undefined;

  /**
   * Bytes to write for one access unit. Empty until the first keyframe with SPS and PPS has come: nothing
   * before it could be decoded.
   *
   * @throws MediaError FLV_TAG_TOO_LARGE, SPS_INVALID
   */
  write(unit: FlvMuxerInput): Uint8Array {
    const parts: Uint8Array[] = [];
    const dts = unit.dtsMs ?? unit.ptsMs;
    const found = unit.keyframe ? extractParameterSets(unit.annexB) : undefined;
    if (this.#originMs === undefined) {
      if (!found) return new Uint8Array(0);
      this.#originMs = dts;
      parts.push(FILE_HEADER);
    }
    const dtsMs = Math.max(0, Math.round(dts - this.#originMs));
    if (found && !this.#isCurrent(found)) {
      this.#parameterSets = { sps: copyBytes(found.sps), pps: copyBytes(found.pps) };
      parts.push(videoTag(buildAvcConfig(found), 1, 0, dtsMs, 0));
    }
    const sample = joinAvcc(splitNals(unit.annexB).filter((nal) => nalType(nal) !== NAL.aud));
    parts.push(videoTag(sample, unit.keyframe ? 1 : 2, 1, dtsMs, Math.round(unit.ptsMs - dts)));
    return concatBytes(parts);
  }

  #isCurrent({ sps, pps }: ParameterSets): boolean {
    const current = this.#parameterSets;
    return current !== undefined && equalBytes(current.sps, sps) && equalBytes(current.pps, pps);
  }
}
