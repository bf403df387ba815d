import type { RgbFrame } from "../../application/detector.ts";
import { rgbOf } from "./i420.ts";

const QUALITY = 80;

/** The whole frame as JPEG, nothing drawn into it. sharp is loaded with the first snapshot: it costs 20 MB. */
export async function encodeJpeg(frame: RgbFrame): Promise<Uint8Array> {
  const { width, height } = frame;
  const data = frame.layout === "i420" ? rgbOf(frame) : frame.data;
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: QUALITY })
    .toBuffer();
}
