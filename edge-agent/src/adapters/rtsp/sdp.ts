import { parseSps } from "@huishi/media";
import type { OfferedStream } from "../../domain/camera-description.ts";

/** What an SDP (RFC 8866) says of its first video: codec, and the picture size where H.264 parameters are in it. */
export function readVideo(sdp: string, url: string): OfferedStream | null {
  const lines = sdp.split(/\r?\n/);
  const start = lines.findIndex((line) => /^m=video\b/.test(line));
  if (start < 0) return null;
  const nextMedia = lines.findIndex((line, i) => i > start && line.startsWith("m="));
  const media = lines.slice(start, nextMedia < 0 ? undefined : nextMedia);
  const encoding = /^a=rtpmap:\d+ ([^/\s]+)/m.exec(media.join("\n"))?.[1]?.toUpperCase();
  const codec =
    encoding === "H264" ? "h264" : encoding === "H265" || encoding === "HEVC" ? "h265" : "unknown";
  const fps = Number(/^a=framerate:([\d.]+)/m.exec(media.join("\n"))?.[1]);
  return { url, codec, ...pictureSize(media), ...(fps > 0 ? { fps } : {}) };
}

/** `sprop-parameter-sets` (RFC 6184 §8.1): base64 SPS, then PPS. */
function pictureSize(media: readonly string[]): { width: number; height: number } {
  const sprop = /sprop-parameter-sets=([A-Za-z0-9+/=]+)/.exec(media.join("\n"))?.[1];
  if (sprop === undefined) return { width: 0, height: 0 };
  try {
    const { width, height } = parseSps(Buffer.from(sprop, "base64"));
    return { width, height };
  } catch {
    return { width: 0, height: 0 };
  }
}
