import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { HuishiError } from "@huishi/kernel";
import { FlvMuxer } from "@huishi/media";
import type { PictureSize } from "./analysis-size.ts";
import { decoderArguments, TIMES_FD } from "./decoder-arguments.ts";
import { PictureAssembler, type TimedPicture } from "./picture-assembler.ts";

const STDERR_KEPT = 2000;
const MOST_HELD_BYTES = 256 * 1024;

export interface CodedPicture {
  readonly annexB: Uint8Array;
  readonly keyframe: boolean;
  /** On the decoder's clock. */
  readonly ptsMs: number;
}

export interface DecoderProcessOptions {
  readonly size: PictureSize;
  readonly sampleFps: number;
  readonly onPicture: (picture: TimedPicture) => void;
  readonly newBuffer: (bytes: number) => Uint8Array;
}

/** One ffmpeg child that decodes one stream of one resolution. */
export class DecoderProcess {
  /** Resolves when the child is gone: undefined after `stop`, the reason otherwise. */
  readonly ended: Promise<HuishiError | undefined>;
  readonly #child: ChildProcess & { stdin: Writable };
  readonly #muxer = new FlvMuxer();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #stderr = "";
  #stopping = false;

  constructor(options: DecoderProcessOptions) {
    const assembler = new PictureAssembler(
      (options.size.width * options.size.height * 3) / 2,
      options.onPicture,
      options.newBuffer,
    );
    const child = spawn("ffmpeg", decoderArguments(options.size, options.sampleFps), {
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] },
    });
    this.#child = child as ChildProcess & { stdin: Writable };
    child.stdout?.on("data", (chunk: Buffer) => assembler.pushPixels(chunk));
    (child.stdio[TIMES_FD] as Readable)
      .setEncoding("latin1")
      .on("data", (text: string) => assembler.pushTimes(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // EPIPE when the child dies; `ended` says why.
    child.stdin?.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("error", (cause) => resolve(startFailure(cause)));
      child.once("close", (code, signal) =>
        resolve(this.#stopping ? undefined : this.#deathReport(code, signal)),
      );
    });
  }

  /** Bytes that wait for the decoder. */
  get queuedBytes(): number {
    return this.#child.stdin.writableLength + this.#heldBytes;
  }

  /**
   * Takes a unit, and holds it back until `flush`: a write wakes the decoder, which costs both sides more than the bytes.
   *
   * @throws MediaError when the unit cannot be put into FLV
   */
  write(picture: CodedPicture): void {
    const bytes = this.#muxer.write(picture);
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > MOST_HELD_BYTES) this.flush();
  }

  flush(): void {
    const bytes = this.#held.length === 1 ? (this.#held[0] as Uint8Array) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (bytes.length > 0 && this.#child.stdin.writable) this.#child.stdin.write(bytes);
  }

  /** Ends the child at once: what it still holds is not wanted. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #deathReport(code: number | null, signal: NodeJS.Signals | null): HuishiError {
    const reason = this.#stderr.trim().split("\n").at(-1) ?? "";
    return new HuishiError(
      "DECODER_FAILED",
      `The decoder ended (${signal ?? `exit code ${code}`}); it is started again. ${reason}`.trim(),
      {
        details: { code, signal, stderr: this.#stderr },
      },
    );
  }
}

function startFailure(cause: Error): HuishiError {
  return new HuishiError(
    "DECODER_UNAVAILABLE",
    'ffmpeg cannot be started: install it (for example "apt-get install ffmpeg") and see that it is in PATH.',
    { cause },
  );
}
