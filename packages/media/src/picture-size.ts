import { extractParameterSets } from "./annexb.ts";
import { extractH265Sps, parseH265Sps } from "./h265-sps.ts";
import { parseSps } from "./sps.ts";

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Size of the pictures that begin with this access unit (Annex B), from its own parameter sets; null without them.
 *
 * @throws MediaError SPS_INVALID
 */
export function pictureSizeOf(codec: "h264" | "h265", annexB: Uint8Array): PictureSize | null {
  const sps = codec === "h264" ? extractParameterSets(annexB)?.sps : extractH265Sps(annexB);
  return sps ? spsSize(codec, sps) : null;
}

/** Size that a parameter set says. @throws MediaError SPS_INVALID */
export function spsSize(codec: "h264" | "h265", sps: Uint8Array): PictureSize {
  const { width, height } = codec === "h264" ? parseSps(sps) : parseH265Sps(sps);
  return { width, height };
}

/** Is this NAL unit a sequence parameter set? */
export function isSps(codec: "h264" | "h265", nal: Uint8Array): boolean {
  const header = nal[0] ?? 0;
  return codec === "h264" ? (header & 0x1f) === 7 : ((header >> 1) & 0x3f) === 33;
}
