import type { VideoCodec } from "@huishi/contracts";

/**
 * Two pictures of 128x64 as complete keyframes, encoded once with x264 and x265: luma 60 left and 200 right (`a`), and
 * the other way round (`b`). They follow each keyframe through the decoder and say where its picture ends.
 */
const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
export type MarkerName = "a" | "b";

export const MARKERS: Readonly<Record<VideoCodec, Readonly<Record<MarkerName, Uint8Array>>>> = {
  h264: {
    a: decode(
      "AAAAAWdCwArcIJsBEAAAAwAQAAADACDxIngAAAABaM4PLIAAAAFliIQEvJigAC0TJycnJigADppJycnXXXXXXXXXXXXXXXXXXXXXXXXg",
    ),
    b: decode(
      "AAAAAWdCwArcIJsBEAAAAwAQAAADACDxIngAAAABaM4PLIAAAAFliIQEvJigAC0RJycnJigADprJycnXXXXXXXXXXXXXXXXXXXXXXXXg",
    ),
  },
  h265: {
    a: decode(
      "AAAAAUABDAH//wQIAAADAJ+oAAADAAAeugJAAAAAAUIBAQQIAAADAJ+oAAADAAAeoBAgQWW6kkyvAWgIAAADAAgAAAMACEAAAAABRAHBcrAiQAAAASgBr3jrrvv/+PqFfKwV6/7ak1R3sA==",
    ),
    b: decode(
      "AAAAAUABDAH//wQIAAADAJ+oAAADAAAeugJAAAAAAUIBAQQIAAADAJ+oAAADAAAeoBAgQWW6kkyvAWgIAAADAAgAAAMACEAAAAABRAHBcrAiQAAAASgBr3jrrvvC+PqFfKwV//7ak1R3sA==",
    ),
  },
};

/** Access unit delimiter and end of sequence (ITU-T H.264 7.3.2.4, 7.3.2.5; H.265 7.3.2.5, 7.3.2.6). */
export const DELIMITER: Readonly<Record<VideoCodec, Uint8Array>> = {
  h264: Uint8Array.of(0, 0, 0, 1, 9, 0xf0),
  h265: Uint8Array.of(0, 0, 0, 1, 0x46, 1, 0x50),
};
export const END_OF_SEQUENCE: Readonly<Record<VideoCodec, Uint8Array>> = {
  h264: Uint8Array.of(0, 0, 0, 1, 10),
  h265: Uint8Array.of(0, 0, 0, 1, 0x48, 1),
};

/** Which marker a decoded picture is; null for a camera's. No scene has four flat quarters of exactly these levels. */
export function markerOf(pixels: Uint8Array, width: number): MarkerName | null {
  const height = pixels.length / width;
  let left = 0;
  for (let step = 0; step < 64; step++) {
    const y = Math.floor(((step >> 3) + 0.5) * (height / 8));
    const x = Math.floor(((step & 7) + 0.5) * (width / 8));
    const value = pixels[y * width + x] as number;
    const isLeft = x < width / 2;
    const level = Math.abs(value - LOW) <= NEAR ? "low" : Math.abs(value - HIGH) <= NEAR ? "high" : null;
    if (level === null) return null;
    left += (level === "low") === isLeft ? 1 : -1;
  }
  if (left === 64) return "a";
  return left === -64 ? "b" : null;
}
/** The decoder gives full-range luma. */
const LOW = 60;
const HIGH = 200;
const NEAR = 8;
