/** Draws the clock picture in real time and encodes it without delay: one ffmpeg, raw pictures in, two FLV streams out. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { sleep } from "@huishi/kernel";
import { FlvDemuxer } from "@huishi/media";
import { SimulatorError } from "../errors.ts";
import { Canvas } from "./canvas.ts";
import { drawClockBackground, drawClockPicture } from "./clock-picture.ts";
import { lastLine, spawnError, words } from "./ffmpeg.ts";
import { steadyNowMs } from "./steady-time.ts";
import { type VideoSource, VideoStream } from "./video-stream.ts";

export interface ClockSourceOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** Pictures that wait for the encoder; when it falls behind, new ones are not drawn. */
const MAX_WAITING_PICTURES = 2;

function encoder(fps: number): string[] {
  const group = Math.max(1, Math.round(fps));
  return words(
    `-c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -bf 0 -g ${group} -pix_fmt yuv420p -crf 24 ` +
      "-x264-params aud=1 -flush_packets 1 -flvflags no_duration_filesize -f flv",
  );
}

const FILTER =
  "[0:v]split[main][b];[b]scale='min(640,iw)':'min(360,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2[sub]";

export class ClockSource implements VideoSource {
  readonly main: VideoStream;
  readonly sub: VideoStream;
  readonly #options: ClockSourceOptions;
  readonly #background: Canvas;
  #skippedPictures = 0;

  constructor(options: ClockSourceOptions) {
    this.#options = options;
    this.#background = drawClockBackground(options.width, options.height);
    this.main = new VideoStream("main", options.fps);
    this.sub = new VideoStream("sub", options.fps);
  }

  /** Pictures that were not drawn because the encoder was behind. */
  get skippedPictures(): number {
    return this.#skippedPictures;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { width, height, fps } = this.#options;
    const input = `-f rawvideo -pix_fmt yuv420p -video_size ${width}x${height} -framerate ${fps} -probesize 32 -analyzeduration 0 -i pipe:0`;
    const child = spawn(
      "ffmpeg",
      [
        ...words(`-hide_banner -loglevel error ${input}`),
        "-filter_complex",
        FILTER,
        ...["-map", "[main]"].concat(encoder(fps), "pipe:1"),
        ...["-map", "[sub]"].concat(encoder(fps), "pipe:3"),
      ],
      { stdio: ["pipe", "pipe", "pipe", "pipe"] },
    );
    const stop = new AbortController();
    try {
      await Promise.race([this.#untilEnd(child), this.#feed(child, AbortSignal.any([signal, stop.signal]))]);
    } finally {
      stop.abort();
      child.kill("SIGKILL");
    }
  }

  /** Draws and writes pictures until aborted; hands the times at which they were drawn to the reading side. */
  async #feed(child: ChildProcess, signal: AbortSignal): Promise<void> {
    const { width, height, fps } = this.#options;
    const stdin = child.stdin;
    if (!stdin) return;
    stdin.on("error", () => undefined); // the exit says why
    const mainTimes = this.#publishFrom(child.stdio[1] as Readable, this.main, stdin);
    const subTimes = this.#publishFrom(child.stdio[3] as Readable, this.sub, stdin);
    let dueMs = steadyNowMs();
    for (;;) {
      await sleep(Math.max(0, dueMs - steadyNowMs()), signal);
      const nowMs = steadyNowMs();
      dueMs = Math.max(dueMs + 1000 / fps, nowMs);
      const canvas = new Canvas(width, height);
      if (stdin.writableLength > (MAX_WAITING_PICTURES - 1) * canvas.bytes.length) {
        this.#skippedPictures += 1;
        continue;
      }
      mainTimes.push(nowMs);
      subTimes.push(nowMs);
      drawClockPicture(canvas, this.#background, Date.now());
      stdin.write(canvas.bytes);
    }
  }

  /** Publishes what the encoder writes. The n-th access unit is the n-th picture: there is no reordering. */
  #publishFrom(output: Readable, stream: VideoStream, stdin: NodeJS.WritableStream): number[] {
    const demuxer = new FlvDemuxer();
    const times: number[] = [];
    output.on("data", (chunk: Buffer) => {
      try {
        for (const unit of demuxer.push(chunk))
          stream.publish(unit.annexB, unit.keyframe, times.shift() ?? steadyNowMs());
      } catch {
        stdin.end(); // damaged output: end this encoder, the supervisor starts another
      }
    });
    output.on("error", () => undefined);
    return times;
  }

  async #untilEnd(child: ChildProcess): Promise<never> {
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4096)));
    return await new Promise((_, reject) => {
      child.once("error", (error) => reject(spawnError("ffmpeg", error)));
      child.once("close", () =>
        reject(
          new SimulatorError("ENCODER_FAILED", `the encoder of the test picture ended: ${lastLine(stderr)}`),
        ),
      );
    });
  }
}
