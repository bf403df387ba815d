/** Containers that a rehearsal's clip may have. */
export type ClipType = "mp4" | "matroska" | "mpegts" | "avi" | "h264";

/** Bytes of a clip that its type is told from. */
export const CLIP_TYPE_BYTES = 192;

/**
 * What the first bytes of a clip say that it is, whatever its name or content type says; null for anything else. MP4 and
 * QuickTime (ISO/IEC 14496-12 §4.3), Matroska and WebM (RFC 8794 §11.2.1), MPEG-TS (ISO/IEC 13818-1 §2.4.3.2: a sync byte
 * every 188 bytes), AVI (RIFF), H.264 in Annex B.
 */
export function clipTypeOf(bytes: Uint8Array): ClipType | null {
  const text = (from: number, length: number): string =>
    String.fromCharCode(...bytes.subarray(from, from + length));
  if (["ftyp", "moov", "mdat", "wide", "free"].includes(text(4, 4))) return "mp4";
  if (text(0, 4) === "\x1aE\xdf\xa3") return "matroska";
  if (text(0, 4) === "RIFF" && text(8, 4) === "AVI ") return "avi";
  if (bytes[0] === 0x47 && bytes[188] === 0x47) return "mpegts";
  const header = startCodeEnd(bytes);
  if (header > 0 && isNalUnit(bytes[header])) return "h264";
  return null;
}

/** Where the first NAL unit begins: after 00 00 01 or 00 00 00 01 (H.264 Annex B); 0 when there is no start code. */
function startCodeEnd(bytes: Uint8Array): number {
  if (bytes[0] !== 0 || bytes[1] !== 0) return 0;
  if (bytes[2] === 1) return 3;
  return bytes[2] === 0 && bytes[3] === 1 ? 4 : 0;
}

/** SPS, access unit delimiter, SEI or a picture: what a byte stream may begin with (H.264 table 7-1). */
function isNalUnit(header: number | undefined): boolean {
  return header !== undefined && (header & 0x80) === 0 && [1, 5, 6, 7, 9].includes(header & 0x1f);
}
