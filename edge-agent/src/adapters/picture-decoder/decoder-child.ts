import type { VideoCodec } from "@huishi/contracts";
import { concatBytes, type LumaPicture } from "@huishi/media";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { DELIMITER, END_OF_SEQUENCE, type MarkerName, markerOf, MARKERS } from "./markers.ts";

const PICTURE_WIDTH = 320;
const PICTURE_HEIGHT = 180;
const PICTURE_BYTES = PICTURE_WIDTH * PICTURE_HEIGHT;
/** Markers behind each keyframe: more than a decoder may hold back (16 reordered pictures, ITU-T H.264 A.3.1, seldom over 4). */
const FLUSHING = 8;

const argumentsFor = (codec: VideoCodec): string[] =>
  [
    "-hide_banner -nostats -loglevel quiet -threads 1 -flags low_delay -max_pixels 33177600",
    `-protocol_whitelist pipe -probesize 32 -analyzeduration 0 -f ${codec === "h264" ? "h264" : "hevc"} -i pipe:0`,
    `-an -vf scale=${PICTURE_WIDTH}:${PICTURE_HEIGHT}:flags=area,format=gray -filter_threads 1`,
    "-fps_mode passthrough -f rawvideo -flush_packets 1 pipe:1",
  ].flatMap((group) => group.split(" "));

interface Request {
  readonly marker: MarkerName;
  settle(outcome: LumaPicture | null): void;
  fail(error: Error): void;
}

/**
 * One ffmpeg child that decodes keyframes one at a time. A decoder holds pictures back and drops damaged ones, so the
 * order of its output alone says nothing: behind each keyframe go markers that are told apart by their picture, `a` and
 * `b` in turns. Exactly one picture before the own marker is the keyframe's; anything else ends the child.
 */
export class DecoderChild {
  readonly #codec: VideoCodec;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #pending = new Uint8Array(PICTURE_BYTES);
  #filled = 0;
  #marker: MarkerName = "a";
  /** Pictures of the running request that are no markers. */
  readonly #pictures: Uint8Array[] = [];
  #request: Request | null = null;
  #fault: Error | null = null;

  constructor(codec: VideoCodec, ffmpegPath: string) {
    this.#codec = codec;
    this.#child = spawn("nice", ["-n", "10", ffmpegPath, ...argumentsFor(codec)], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.on("error", (error) => this.#fail(error));
    this.#child.on("close", () => this.#fail(new Error("the decoder ended")));
  }

  get hasEnded(): boolean {
    return this.#fault !== null;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * The keyframe's picture, or null when the decoder could make none of it. One call at a time. Rejects when the child
   * ends or nothing comes in time; it is of no use afterwards.
   */
  decode(annexB: Uint8Array, timeoutMs: number): Promise<LumaPicture | null> {
    return new Promise((resolve, reject) => {
      if (this.#fault) return reject(this.#fault);
      this.#marker = this.#marker === "a" ? "b" : "a";
      const timer = setTimeout(() => {
        this.#fail(new Error("the decoder gives no picture"));
        this.kill();
      }, timeoutMs);
      this.#request = {
        marker: this.#marker,
        settle: (outcome) => {
          clearTimeout(timer);
          this.#request = null;
          resolve(outcome);
        },
        fail: (error) => {
          clearTimeout(timer);
          this.#request = null;
          reject(error);
        },
      };
      const delimiter = DELIMITER[this.#codec];
      const marker = concatBytes([
        delimiter,
        MARKERS[this.#codec][this.#marker],
        END_OF_SEQUENCE[this.#codec],
      ]);
      const markers = Array.from({ length: FLUSHING }, () => marker);
      this.#child.stdin.write(
        concatBytes([delimiter, annexB, END_OF_SEQUENCE[this.#codec], ...markers, delimiter]),
      );
    });
  }

  kill(): void {
    this.#fault ??= new Error("the decoder was ended");
    this.#child.kill("SIGKILL");
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + PICTURE_BYTES - this.#filled);
      this.#pending.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < PICTURE_BYTES) continue;
      this.#picture(this.#pending);
      this.#pending = new Uint8Array(PICTURE_BYTES);
      this.#filled = 0;
    }
  }

  #picture(pixels: Uint8Array): void {
    const request = this.#request;
    if (!request) return;
    const marker = markerOf(pixels, PICTURE_WIDTH);
    if (marker === null) this.#pictures.push(pixels);
    if (marker !== request.marker) return;
    const [only] = this.#pictures;
    const isOne = this.#pictures.length === 1;
    this.#pictures.length = 0;
    // Damaged data came out as none or as several pictures: whatever else is in this decoder is not waited for.
    if (!isOne) this.kill();
    request.settle(only && isOne ? { width: PICTURE_WIDTH, height: PICTURE_HEIGHT, pixels: only } : null);
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#request?.fail(error);
  }
}
