/** Pictures of a clip, one at a time: as slowly as they are taken. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import type { ClipType } from "@huishi/contracts";
import { MAX_REHEARSAL_CLIP_MS } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { fitWithin, type PictureSize } from "../ffmpeg/analysis-size.ts";
import { TIMES_FD } from "../ffmpeg/decoder-arguments.ts";
import type { DecodedFrame } from "../ffmpeg/index.ts";
import { PictureAssembler, type TimedPicture } from "../ffmpeg/picture-assembler.ts";
import { clipArguments, MAX_PIXELS, probeArguments } from "./clip-arguments.ts";

const PROBE_MS = 20_000;
const BOUNDS: PictureSize = { width: 640, height: 360 };
/** Pictures that may wait to be taken. */
const WAITING = 3;

export interface ClipFacts {
  readonly size: PictureSize;
  /** Null when the clip does not say (a bare bitstream). */
  readonly lengthMs: number | null;
}

interface Clip {
  readonly file: string;
  readonly type: ClipType;
}

/**
 * @throws HuishiError REHEARSAL_CLIP_CORRUPT, REHEARSAL_CLIP_NO_VIDEO, REHEARSAL_CLIP_PICTURE_SIZE, REHEARSAL_CLIP_TOO_LONG,
 *   DECODER_UNAVAILABLE
 */
export async function probeClip({ file, type }: Clip): Promise<ClipFacts> {
  const options = { timeout: PROBE_MS, maxBuffer: 65_536, env: { PATH: process.env["PATH"] } };
  const { stdout } = await promisify(execFile)("ffprobe", probeArguments(file, type), options).catch(
    (cause: NodeJS.ErrnoException) => {
      throw cause.code === "ENOENT" ? unavailable(cause) : corrupt(cause);
    },
  );
  const { streams = [], format = {} } = JSON.parse(stdout) as {
    streams?: { width?: number; height?: number }[];
    format?: { duration?: string };
  };
  const [stream] = streams;
  if (!stream)
    throw new HuishiError("REHEARSAL_CLIP_NO_VIDEO", "The clip has no pictures; give one with video.");
  const { width = 0, height = 0 } = stream;
  if (width <= 0 || height <= 0) throw corrupt(undefined);
  if (width * height > MAX_PIXELS)
    throw new HuishiError(
      "REHEARSAL_CLIP_PICTURE_SIZE",
      "The clip's pictures are larger than 8K; give a smaller one.",
    );
  const seconds = Number(format.duration);
  const lengthMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
  if (lengthMs !== null && lengthMs > MAX_REHEARSAL_CLIP_MS) throw tooLong();
  return { size: fitWithin({ width, height }, BOUNDS), lengthMs };
}

/** @throws HuishiError REHEARSAL_CLIP_CORRUPT when no picture could be decoded, REHEARSAL_CLIP_TOO_LONG */
export async function* clipPictures(
  clip: Clip,
  { size }: ClipFacts,
  sampleFps: number,
): AsyncGenerator<DecodedFrame> {
  const child = spawn("ffmpeg", clipArguments(clip, size, sampleFps), {
    stdio: ["ignore", "pipe", "ignore", "pipe"],
    env: { PATH: process.env["PATH"] },
  });
  let count = 0;
  try {
    for await (const { ptsMs, data } of assembled(child, size)) {
      if (ptsMs > MAX_REHEARSAL_CLIP_MS) throw tooLong();
      count++;
      yield { ...size, data, capturedAtMs: Math.max(0, ptsMs), decodeMs: 0 };
    }
  } finally {
    child.kill("SIGKILL");
  }
  if (count === 0) throw corrupt(undefined);
}

async function* assembled(child: ChildProcess, size: PictureSize): AsyncGenerator<TimedPicture> {
  const pixels = child.stdout as Readable;
  const waiting: TimedPicture[] = [];
  let wake: () => void = () => undefined;
  let isOver = false;
  let fault: Error | null = null;
  const assembler = new PictureAssembler(size.width * size.height * 3, (picture) => {
    waiting.push(picture);
    if (waiting.length >= WAITING) pixels.pause();
    wake();
  });
  pixels.on("data", (chunk: Buffer) => assembler.pushPixels(chunk));
  (child.stdio[TIMES_FD] as Readable)
    .setEncoding("latin1")
    .on("data", (text: string) => assembler.pushTimes(text));
  const end = (error?: Error): void => {
    isOver = true;
    fault = error ?? null;
    wake();
  };
  child.once("error", (cause) => end(unavailable(cause)));
  child.once("close", () => end());
  for (;;) {
    const picture = waiting.shift();
    if (picture) {
      yield picture;
      if (waiting.length < WAITING) pixels.resume();
    } else if (isOver) break;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  if (fault) throw fault as Error;
}

const corrupt = (cause: unknown): HuishiError =>
  new HuishiError(
    "REHEARSAL_CLIP_CORRUPT",
    "The clip cannot be decoded; it is damaged, or its codec is unknown.",
    {
      cause,
    },
  );

const tooLong = (): HuishiError =>
  new HuishiError("REHEARSAL_CLIP_TOO_LONG", "The clip is longer than an hour; cut it.", {});

const unavailable = (cause: unknown): HuishiError =>
  new HuishiError(
    "DECODER_UNAVAILABLE",
    'ffmpeg cannot be started: install it (for example "apt-get install ffmpeg") and see that it is in PATH.',
    { cause },
  );
