/** Asks ffprobe what a video file holds, before anything is converted. */
import { basename, resolve } from "node:path";
import { SimulatorError } from "../errors.ts";
import { lastLine, runToEnd, words } from "./ffmpeg.ts";

const PROBE_TIMEOUT_MS = 30_000;
const DEFAULT_FPS = 25;
const MAX_FPS = 30;
/** Containers of recorded video. Playlists and scripts that name further files or addresses are not among them. */
const FORMATS =
  "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,h264,hevc,asf,ogg,mjpeg,gif,ivf,dv,wtv,mxf,nut,rm,3gp";

/** What a file from outside may make ffmpeg do: no network, no playlist, no picture beyond 33 megapixels. */
export const INPUT_LIMITS: readonly string[] = [
  ...words("-max_pixels 33177600 -protocol_whitelist file -format_whitelist"),
  FORMATS,
];

export interface VideoFacts {
  readonly width: number;
  readonly height: number;
  /** Frames a second, 1..30, may have a fraction. */
  readonly fps: number;
}

interface ProbeReport {
  readonly streams?: ReadonlyArray<{
    readonly width?: number;
    readonly height?: number;
    readonly avg_frame_rate?: string;
    readonly r_frame_rate?: string;
  }>;
}

function parseRate(text: string | undefined): number | undefined {
  const [numerator, denominator] = (text ?? "").split("/").map(Number);
  const rate = (numerator ?? 0) / (denominator ?? 1);
  return Number.isFinite(rate) && rate > 0 ? rate : undefined;
}

/** The file's own rate; halved until it is at most 30, as a camera would be set up. */
function usableRate(rate: number): number {
  let usable = rate;
  while (usable > MAX_FPS + 0.01) usable /= 2;
  return Math.max(1, Math.round(usable * 1000) / 1000);
}

/** @throws SimulatorError VIDEO_UNREADABLE, FFMPEG_MISSING */
export async function probeVideo(path: string, signal?: AbortSignal): Promise<VideoFacts> {
  const refuse = (why: string): SimulatorError =>
    new SimulatorError(
      "VIDEO_UNREADABLE",
      `${basename(path)} cannot be played: ${why}; give a video file that ffmpeg can read`,
    );
  const finished = await runToEnd(
    "ffprobe",
    [
      ...words("-hide_banner -loglevel error"),
      ...INPUT_LIMITS,
      ...words("-select_streams v:0 -show_entries stream=width,height,avg_frame_rate,r_frame_rate -of json"),
      `file:${resolve(path)}`,
    ],
    { timeoutMs: PROBE_TIMEOUT_MS, maxStdoutBytes: 1024 * 1024, ...(signal ? { signal } : {}) },
  );
  if (finished.code !== 0) throw refuse(withoutPath(lastLine(finished.stderr)));
  const stream = parseReport(finished.stdout).streams?.[0];
  if (!stream?.width || !stream.height) throw refuse("it holds no video");
  const rate = parseRate(stream.avg_frame_rate) ?? parseRate(stream.r_frame_rate) ?? DEFAULT_FPS;
  return { width: stream.width, height: stream.height, fps: usableRate(rate) };
}

function parseReport(stdout: Buffer): ProbeReport {
  try {
    return JSON.parse(stdout.toString()) as ProbeReport;
  } catch {
    return {};
  }
}

/** ffmpeg repeats the whole path before its reason: `file:/a/b.mp4: Invalid data`. */
function withoutPath(line: string): string {
  return line.slice(line.lastIndexOf(": ") + 1).trim();
}
