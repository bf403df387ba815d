import { FlvDemuxer } from "@huishi/media";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import type { FrameSource, SourceUnit } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { shortAddress } from "../../domain/rtsp-address.ts";
import type { Account } from "../rtsp/digest.ts";
import { faultFromDiagnostics } from "./diagnostics.ts";
import { FFMPEG_ARGUMENTS, ffconcatScript } from "./ffconcat.ts";

/** A stream that gives no picture for this long is restarted. */
const NO_FRAMES_MS = 5_000;
/** The first picture may take longer: connecting, probing, and a long group of pictures. */
const FIRST_FRAME_MS = 15_000;
const MAX_DIAGNOSTICS = 16 * 1024;
/** ffmpeg is given this long to say goodbye to the camera (RTSP TEARDOWN). */
const KILL_AFTER_MS = 1_000;

export interface FfmpegSourceOptions {
  readonly url: string;
  readonly account: Account | null;
  readonly ffmpegPath?: string;
  readonly noFramesMs?: number;
  readonly firstFrameMs?: number;
}

/** Takes a camera's H.264 as it is, through one ffmpeg child that copies RTSP to FLV on a pipe. */
export class FfmpegSource implements FrameSource {
  readonly #options: FfmpegSourceOptions;

  constructor(options: FfmpegSourceOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, onUnits: (units: readonly SourceUnit[]) => void): Promise<void> {
    signal.throwIfAborted();
    const child = this.#spawn();
    let diagnostics = "";
    let fault: Error | null = null;
    const fail = (error: Error): void => {
      fault ??= error;
      stop(child);
    };
    const onAbort = (): void => stop(child);
    signal.addEventListener("abort", onAbort, { once: true });
    const silence = new SilenceTimer(this.#options.firstFrameMs ?? FIRST_FRAME_MS, () =>
      fail(new EdgeError("RTSP_NO_FRAMES", `${shortAddress(this.#options.url)} gives no pictures`)),
    );
    const demuxer = new FlvDemuxer();
    child.stdout.on("data", (chunk: Buffer) => {
      if (fault) return;
      try {
        const units = demuxer.push(chunk);
        if (units.length === 0) return;
        silence.restart(this.#options.noFramesMs ?? NO_FRAMES_MS);
        onUnits(units);
      } catch (error) {
        fail(error as Error);
      }
    });
    child.stderr.on("data", (chunk: Buffer) => {
      diagnostics = (diagnostics + chunk.toString("utf8")).slice(-MAX_DIAGNOSTICS);
    });
    try {
      await ended(child);
    } finally {
      silence.stop();
      signal.removeEventListener("abort", onAbort);
    }
    signal.throwIfAborted();
    throw fault ?? faultFromDiagnostics(diagnostics, shortAddress(this.#options.url));
  }

  #spawn(): ChildProcessWithoutNullStreams {
    const child = spawn(this.#options.ffmpegPath ?? "ffmpeg", FFMPEG_ARGUMENTS, {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    }) as unknown as ChildProcessWithoutNullStreams;
    const script = child.stdio[3] as Writable | null;
    script?.on("error", () => undefined);
    script?.end(ffconcatScript(this.#options.url, this.#options.account));
    return child;
  }
}

/** Resolves when the child is gone and its pipes are closed. @throws EdgeError FFMPEG_MISSING */
function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      if (child.pid === undefined) {
        reject(new EdgeError("FFMPEG_MISSING", "ffmpeg cannot be started", { cause }));
      }
    });
    child.once("close", () => resolve());
  });
}

function stop(child: ChildProcessWithoutNullStreams): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  child.once("exit", () => clearTimeout(timer));
}

class SilenceTimer {
  #timer: NodeJS.Timeout;
  #delayMs: number;
  readonly #onSilence: () => void;

  constructor(delayMs: number, onSilence: () => void) {
    this.#delayMs = delayMs;
    this.#onSilence = onSilence;
    this.#timer = setTimeout(onSilence, delayMs);
  }

  restart(delayMs: number): void {
    if (delayMs === this.#delayMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#delayMs = delayMs;
    this.#timer = setTimeout(this.#onSilence, delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
