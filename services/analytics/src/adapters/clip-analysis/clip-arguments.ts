import type { ClipType } from "@huishi/contracts";
import type { PictureSize } from "../ffmpeg/analysis-size.ts";
import { TIMES_FD } from "../ffmpeg/decoder-arguments.ts";

/** Pictures above 8K (7680x4320) are refused: a small file can ask for gigabytes. */
export const MAX_PIXELS = 33_177_600;

/** ffmpeg's names of the demuxers that a clip may use; nothing is guessed, so that no playlist is ever followed. */
const DEMUXER: Readonly<Record<ClipType, string>> = {
  mp4: "mov",
  matroska: "matroska",
  mpegts: "mpegts",
  avi: "avi",
  h264: "h264",
};

/** What is opened, and how: this file alone, by the demuxer that its first bytes ask for. */
function input(file: string, type: ClipType): string[] {
  return [
    [
      "-protocol_whitelist",
      "file",
      "-format_whitelist",
      "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,h264",
    ],
    ["-max_pixels", String(MAX_PIXELS), "-f", DEMUXER[type]],
    ["-i", `file:${file}`],
  ].flat();
}

/** ffprobe that tells size and length of the first video stream as JSON. */
export function probeArguments(file: string, type: ClipType): string[] {
  return [
    ["-hide_banner", "-loglevel", "error", "-select_streams", "v:0"],
    ["-show_entries", "stream=width,height:format=duration", "-of", "json"],
    input(file, type),
  ].flat();
}

/**
 * ffmpeg that turns the clip into RGB pictures on stdout, and their times in milliseconds on `TIMES_FD`: as the live
 * decoder does (adapters/ffmpeg/decoder-arguments.ts), the first picture in each interval of a fixed time grid.
 */
export function clipArguments(
  clip: { readonly file: string; readonly type: ClipType },
  size: PictureSize,
  sampleFps: number,
): string[] {
  const slot = (time: string): string => `floor(${time}*${sampleFps}+0.001)`;
  const filters = [
    `select='isnan(prev_selected_t)+gt(${slot("t")},${slot("prev_selected_t")})'`,
    `scale=${size.width}:${size.height}:flags=bilinear`,
    "format=rgb24",
    "settb=1/1000",
    "metadata=mode=add:key=sampled:value=1",
    `metadata=mode=print:file='pipe\\:${TIMES_FD}':direct=1`,
  ];
  return [
    ["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1", "-noautorotate", "-an", "-sn", "-dn"],
    input(clip.file, clip.type),
    ["-map", "0:v:0", "-vf", filters.join(","), "-filter_threads", "1"],
    ["-fps_mode", "passthrough", "-threads", "1", "-f", "rawvideo", "pipe:1"],
  ].flat();
}
