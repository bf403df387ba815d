/**
 * Converts a file, or the drawn street, once into the two streams of a camera and keeps them in a folder. A
 * stream is kept as FLV: it holds the H.264 access units with their times and can be read from its start in a
 * straight line, so that a playing camera needs no index and no memory for the file.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { messageOf } from "@huishi/kernel";
import { SimulatorError } from "../errors.ts";
import { Canvas } from "./canvas.ts";
import { type ClipOptions, prepareClip } from "./clip-cache.ts";
import type { CodedClip } from "./coded-clip.ts";
import { lastLine, runToEnd, words } from "./ffmpeg.ts";
import { INPUT_LIMITS, probeVideo } from "./probe.ts";
import { SCENE_PERIOD_MS, drawStreet, drawStreetScene } from "./street-scene.ts";

/** Change it when the arguments of ffmpeg change: it is a part of every key. */
const RECIPE = 2;
const DEFAULT_MAX_DURATION_MS = 600_000;
const TEMPORARY_PREFIX = ".converting-";
const ABANDONED_AFTER_MS = 6 * 3600_000;
const SCENE = { width: 960, height: 540, fps: 12 } as const;

export interface PreparedVideo {
  readonly mainPath: string;
  readonly subPath: string;
  readonly fps: number;
}

interface CacheEntry {
  readonly fps: number;
  readonly mainBytes: number;
  readonly subBytes: number;
}

type Log = (fields: Record<string, unknown>, message: string) => void;

/** Fits a picture into a frame without enlarging it, square pixels, even sides. */
function fitFilter(width: number, height: number): string {
  return `scale='trunc(iw*sar/2)*2':ih,scale='min(${width},iw)':'min(${height},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1`;
}

/** H.264 as a camera would send it: main profile, no B pictures, a keyframe every two seconds, delimiters. */
function encoder(fps: number, maxKilobits: number): string[] {
  const group = Math.max(1, Math.round(fps * 2));
  return words(
    `-c:v libx264 -preset superfast -profile:v main -pix_fmt yuv420p -bf 0 -g ${group} -keyint_min ${group} -sc_threshold 0 ` +
      `-crf 24 -maxrate ${maxKilobits}k -bufsize ${maxKilobits}k -x264-params aud=1 -an -map_metadata -1 -flvflags no_duration_filesize -f flv`,
  );
}

function outputs(fps: number, folder: string): string[] {
  const main = ["-map", "[main]", ...encoder(fps, 4000), join(folder, "main.flv")];
  const sub = ["-map", "[sub]", ...encoder(fps, 800), join(folder, "sub.flv")];
  return ["-filter_complex", filterGraph(fps), ...main, ...sub];
}

function filterGraph(fps: number): string {
  return `[0:v:0]fps=${fps},split[a][b];[a]${fitFilter(1280, 720)}[main];[b]${fitFilter(640, 360)}[sub]`;
}

async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}

export class VideoCache {
  readonly #folder: string;
  readonly #log: Log;
  #inProgress = new Map<string, Promise<PreparedVideo>>();

  constructor(folder: string, log: Log = () => undefined) {
    this.#folder = resolve(folder);
    this.#log = log;
  }

  /**
   * The two streams of a video file, converted unless they are in the cache.
   *
   * @throws SimulatorError VIDEO_UNREADABLE, FFMPEG_MISSING, VIDEO_CACHE_UNWRITABLE
   */
  async prepareFile(
    path: string,
    options: { readonly maxDurationMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<PreparedVideo> {
    const maxDurationMs = options.maxDurationMs ?? DEFAULT_MAX_DURATION_MS;
    const video = await probeVideo(path, options.signal);
    const content = await hashFile(path, options.signal);
    const key = createHash("sha256")
      .update(`${RECIPE} ${content} ${maxDurationMs}`)
      .digest("hex")
      .slice(0, 32);
    return await this.#prepare(key, video.fps, async (folder) => {
      this.#log(
        { video: basename(path), width: video.width, height: video.height, fps: video.fps },
        "converting video for the simulated camera",
      );
      const finished = await runToEnd(
        "ffmpeg",
        [
          ...words("-hide_banner -nostdin -loglevel error"),
          ...INPUT_LIMITS,
          "-t",
          String(maxDurationMs / 1000),
          "-i",
          `file:${resolve(path)}`,
          ...outputs(video.fps, folder),
        ],
        options.signal ? { signal: options.signal } : {},
      );
      return { finished, what: basename(path) };
    });
  }

  /** The two streams of one period of the drawn street. */
  async prepareStreetScene(signal?: AbortSignal): Promise<PreparedVideo> {
    const key = `street-${RECIPE}-${SCENE.width}x${SCENE.height}-${SCENE.fps}`;
    return await this.#prepare(key, SCENE.fps, async (folder) => {
      const finished = await runToEnd(
        "ffmpeg",
        [
          ...words(
            `-hide_banner -loglevel error -f rawvideo -pix_fmt yuv420p -video_size ${SCENE.width}x${SCENE.height}`,
          ),
          ...words(`-framerate ${SCENE.fps} -i pipe:0`),
          ...outputs(SCENE.fps, folder),
        ],
        { stdin: streetPictures(), ...(signal ? { signal } : {}) },
      );
      return { finished, what: "the drawn street" };
    });
  }

  /** A test clip and the same at half its size; see `prepareClip` for what it throws. */
  async prepareClips(
    options: ClipOptions,
    signal?: AbortSignal,
  ): Promise<{ readonly main: CodedClip; readonly sub: CodedClip }> {
    const main = await this.prepareClip(options, signal);
    const half = (side: number): number => Math.max(64, Math.round(side / 4) * 2);
    const small = { ...options, width: half(options.width), height: half(options.height) };
    return { main, sub: await this.prepareClip(small, signal) };
  }

  prepareClip(options: ClipOptions, signal?: AbortSignal): Promise<CodedClip> {
    return prepareClip(this.#folder, options, signal);
  }

  /** One conversion a key at a time; others wait for it. */
  #prepare(
    key: string,
    fps: number,
    convert: (folder: string) => Promise<{ finished: { code: number | null; stderr: string }; what: string }>,
  ): Promise<PreparedVideo> {
    const running = this.#inProgress.get(key);
    if (running) return running;
    const work = this.#findOrConvert(key, fps, convert).finally(() => this.#inProgress.delete(key));
    this.#inProgress.set(key, work);
    return work;
  }

  async #findOrConvert(
    key: string,
    fps: number,
    convert: (folder: string) => Promise<{ finished: { code: number | null; stderr: string }; what: string }>,
  ): Promise<PreparedVideo> {
    const target = join(this.#folder, key);
    const found = await this.#find(target);
    if (found) return found;
    const temporary = await this.#makeTemporaryFolder();
    try {
      const { finished, what } = await convert(temporary);
      const entry: CacheEntry = {
        fps,
        mainBytes: await sizeOf(join(temporary, "main.flv")),
        subBytes: await sizeOf(join(temporary, "sub.flv")),
      };
      if (finished.code !== 0 || entry.mainBytes === 0 || entry.subBytes === 0)
        throw conversionError(what, finished.stderr);
      await writeFile(join(temporary, "entry.json"), JSON.stringify(entry));
      await rm(target, { recursive: true, force: true });
      // Another process may have been faster: then its folder stands and ours goes.
      await rename(temporary, target).catch(async (error: unknown) => {
        if (!(await this.#find(target))) throw this.#unwritable(error);
      });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    const prepared = await this.#find(target);
    if (!prepared) throw this.#unwritable(new Error("the converted video is not where it was put"));
    return prepared;
  }

  /** A cached entry, unless it is not whole: a full disk or a crash may have cut it. */
  async #find(folder: string): Promise<PreparedVideo | undefined> {
    try {
      const entry = JSON.parse(await readFile(join(folder, "entry.json"), "utf8")) as CacheEntry;
      const mainPath = join(folder, "main.flv");
      const subPath = join(folder, "sub.flv");
      if (
        !(entry.fps > 0) ||
        (await sizeOf(mainPath)) !== entry.mainBytes ||
        (await sizeOf(subPath)) !== entry.subBytes
      )
        return undefined;
      return { mainPath, subPath, fps: entry.fps };
    } catch {
      return undefined;
    }
  }

  async #makeTemporaryFolder(): Promise<string> {
    try {
      await mkdir(this.#folder, { recursive: true });
      await this.#removeAbandoned();
      return await mkdtemp(join(this.#folder, TEMPORARY_PREFIX));
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  /** What a process that was killed in the middle of a conversion left behind. */
  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (!name.startsWith(TEMPORARY_PREFIX)) continue;
      const age = await stat(path).then(
        (entry) => Date.now() - entry.mtimeMs,
        () => 0,
      );
      if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
    }
  }

  #unwritable(cause: unknown): SimulatorError {
    return new SimulatorError(
      "VIDEO_CACHE_UNWRITABLE",
      `cannot write converted video to ${this.#folder}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

function conversionError(what: string, stderr: string): SimulatorError {
  if (/no space left on device/i.test(stderr)) {
    return new SimulatorError(
      "VIDEO_CACHE_UNWRITABLE",
      `the disk is full: ${what} could not be converted; free some space and start again`,
    );
  }
  return new SimulatorError(
    "VIDEO_UNREADABLE",
    `${what} cannot be played: ${lastLine(stderr)}; give a video file that ffmpeg can read`,
  );
}

function* streetPictures(): Generator<Uint8Array> {
  const street = drawStreet(SCENE.width, SCENE.height);
  const count = (SCENE_PERIOD_MS / 1000) * SCENE.fps;
  for (let index = 0; index < count; index++) {
    const canvas = new Canvas(SCENE.width, SCENE.height);
    drawStreetScene(canvas, street, (index * 1000) / SCENE.fps);
    yield canvas.bytes;
  }
}
