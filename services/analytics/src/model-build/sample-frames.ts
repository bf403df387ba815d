/** Development only: pictures out of videos for calibration and for measuring agreement. */
import { spawn } from "node:child_process";
import { HuishiError } from "@huishi/kernel";
import type { RgbFrame } from "../application/detector.ts";
import type { Region } from "../domain/index.ts";

export interface Sampling {
  readonly everySeconds: number;
  readonly offsetSeconds: number;
}

/** Frames of one file, at most 640x360, at regular times. */
export async function sampleFrames(
  file: string,
  { everySeconds, offsetSeconds }: Sampling,
): Promise<RgbFrame[]> {
  const filter = `fps=1/${everySeconds}:round=up,scale=640:360:force_original_aspect_ratio=decrease:force_divisible_by=2`;
  const argv = [
    "-v",
    "error",
    "-ss",
    String(offsetSeconds),
    "-i",
    file,
    "-vf",
    filter,
    "-f",
    "image2pipe",
    "-c:v",
    "ppm",
    "pipe:1",
  ];
  const child = spawn("ffmpeg", argv, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  if ((await exited) !== 0)
    throw new HuishiError("VIDEO_UNREADABLE", `ffmpeg cannot read ${file}: give a video or a picture.`);
  return splitPixmaps(Buffer.concat(chunks));
}

/** The whole frame and its middle and corners at twice the scale: what the detector is given in practice. */
export function sampleRegions({ width, height }: RgbFrame): Region[] {
  const w = Math.floor(width / 2);
  const h = Math.floor(height / 2);
  return [
    { kind: "whole", x: 0, y: 0, w: width, h: height },
    { kind: "crop", x: Math.floor(w / 2), y: Math.floor(h / 2), w, h },
    { kind: "crop", x: 0, y: h, w, h },
    { kind: "crop", x: w, y: h, w, h },
  ];
}

/** Splits a stream of binary portable pixmaps ("P6 width height 255", then the pixels). */
function splitPixmaps(stream: Buffer): RgbFrame[] {
  const frames: RgbFrame[] = [];
  for (let at = 0; at < stream.length;) {
    const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(stream.toString("latin1", at, at + 64));
    if (!header) throw new HuishiError("VIDEO_UNREADABLE", "ffmpeg wrote something that is not a pixmap.");
    const [text, width, height] = [header[0], Number(header[1]), Number(header[2])];
    const from = at + text.length;
    at = from + width * height * 3;
    frames.push({ data: stream.subarray(from, at), width, height });
  }
  return frames;
}
