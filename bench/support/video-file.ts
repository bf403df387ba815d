/** A video file as a sequence of RGB pictures, by ffmpeg. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { HuishiError, messageOf } from "../../packages/kernel/src/index.ts";

export interface Video {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Pictures a second on average. */
  readonly fps: number;
}

export interface Picture {
  /** Number of the picture in the file, from 1. */
  readonly frame: number;
  /** Rows of RGB triples. */
  readonly data: Buffer;
}

const PROBE_TIMEOUT_MS = 20_000;
/** Decoding that gives no picture for so long has hung. */
const STALL_MS = 60_000;
/** Pictures above 8K are refused: a small file can ask for gigabytes. */
const INPUT = ["-v", "error", "-protocol_whitelist", "file,pipe", "-max_pixels", "33177600"];

/** @throws EVAL_FILE_UNREADABLE, VIDEO_UNREADABLE, VIDEO_STREAM_MISSING, DECODER_UNAVAILABLE */
export async function openVideo(file: string): Promise<Video> {
  if (!existsSync(file))
    throw new HuishiError("EVAL_FILE_UNREADABLE", `${file} cannot be read: there is no such file`);
  const show = ["-select_streams", "v:0", "-show_entries", "stream=width,height,avg_frame_rate,r_frame_rate"];
  const { stdout } = await promisify(execFile)(
    "ffprobe",
    [...INPUT, ...show, "-of", "json", "-i", `file:${file}`],
    { timeout: PROBE_TIMEOUT_MS },
  ).catch((cause: unknown) => {
    throw failure(file, cause);
  });
  const { streams = [] } = JSON.parse(stdout) as { streams?: Record<string, string | number>[] };
  const [stream] = streams;
  if (stream === undefined)
    throw new HuishiError("VIDEO_STREAM_MISSING", `${file} has no video in it (sound alone?): give a video`);
  const width = Number(stream["width"]);
  const height = Number(stream["height"]);
  const fps = rate(stream["avg_frame_rate"]) ?? rate(stream["r_frame_rate"]);
  if (!(width > 0 && height > 0) || fps === null)
    throw new HuishiError("VIDEO_UNREADABLE", `${file} does not tell its picture size and rate`);
  return { file, width, height, fps };
}

function rate(text: string | number | undefined): number | null {
  const [numerator, denominator] = String(text).split("/").map(Number);
  const value = numerator! / (denominator ?? 1);
  return Number.isFinite(value) && value > 0 ? value : null;
}

function failure(file: string, cause: unknown): HuishiError {
  const { code, stderr } = cause as { code?: unknown; stderr?: string };
  if (code === "ENOENT")
    return new HuishiError("DECODER_UNAVAILABLE", "ffmpeg cannot be started: apt-get install ffmpeg", {
      cause,
    });
  const reason = stderr?.trim().split("\n").at(-1) ?? messageOf(cause);
  return new HuishiError("VIDEO_UNREADABLE", `ffmpeg cannot read ${file}: ${reason}`, { cause });
}

/**
 * The pictures of the file, scaled, as they are decoded; of a damaged file those that can be.
 * @param fps pictures a second that are wanted: the first in each interval; default all
 * @throws VIDEO_UNREADABLE when there is none, or decoding hangs
 */
export async function* pictures(
  video: Video,
  size: { readonly width: number; readonly height: number },
  fps = video.fps,
): AsyncGenerator<Picture> {
  const output = ["-vf", `scale=${size.width}:${size.height}`, "-pix_fmt", "rgb24", "-f", "rawvideo"];
  const ffmpeg = spawn(
    "ffmpeg",
    [...INPUT, "-nostdin", "-i", `file:${video.file}`, "-map", "0:v:0", "-vsync", "0", ...output, "-"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const stall = setTimeout(() => ffmpeg.kill("SIGKILL"), STALL_MS);
  let frame = 0;
  try {
    for await (const data of slices(ffmpeg.stdout, size.width * size.height * 3)) {
      stall.refresh();
      frame++;
      if (isSampled(frame, fps / video.fps)) yield { frame, data };
    }
  } finally {
    clearTimeout(stall);
    ffmpeg.kill("SIGKILL");
  }
  if (frame === 0) throw new HuishiError("VIDEO_UNREADABLE", `ffmpeg finds no picture in ${video.file}`);
}

/** Is it the first picture of an interval? @param share of the pictures that are wanted */
function isSampled(frame: number, share: number): boolean {
  return share >= 1 || frame === 1 || Math.floor((frame - 1) * share) > Math.floor((frame - 2) * share);
}

async function* slices(stream: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    pending.push(chunk);
    length += chunk.length;
    if (length < bytes) continue;
    let all = Buffer.concat(pending);
    for (; all.length >= bytes; all = all.subarray(bytes)) yield all.subarray(0, bytes);
    pending = [all];
    length = all.length;
  }
}
