import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { clipTypeOf, CLIP_TYPE_BYTES, type ClipType } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import type {
  ClipContents,
  FrameListener,
  FrameSource,
  LookedAt,
  RehearsalJob,
} from "../../application/rehearsal/ports.ts";
import { type BackgroundWatch, backgroundWatch, ruleOf } from "../../domain/index.ts";
import type { DetectorChoice } from "../../application/detection/detector-choice.ts";
import type { ClipOrder, ClipWord } from "./messages.ts";

const fromSource = import.meta.url.endsWith(".ts");
const childPath = fileURLToPath(new URL(fromSource ? "./child.ts" : "./child.js", import.meta.url));
const sourceArguments = ["--import", "tsx", "--conditions=huishi-source"];

/** Loading the model and decoding to the first picture take seconds; a frame takes milliseconds. */
const SILENT_MS = 60_000;
/** Live cameras come first (nice value of the child and of its decoder). */
const NICE = 10;

export interface ForkedClipOptions {
  readonly contents: ClipContents;
  readonly sampleFps: number;
  readonly detector?: DetectorChoice;
}

/**
 * Frames of an uploaded clip: written to a temporary file, decoded by ffmpeg and looked at by the live pipeline's
 * detector and tracker, in a child process of low priority. Sensors had no word then: their conditions count as met.
 */
export class ForkedClip implements FrameSource {
  readonly #options: ForkedClipOptions;

  constructor(options: ForkedClipOptions) {
    this.#options = options;
  }

  async play(job: RehearsalJob, listener: FrameListener, signal: AbortSignal): Promise<LookedAt> {
    if (job.source.kind !== "clip") throw new TypeError("not a rehearsal over a clip");
    const folder = await mkdtemp(join(tmpdir(), "huishi-rehearsal-"));
    try {
      const file = join(folder, "clip");
      const contents = Readable.from(this.#options.contents.read(job.source.clipId));
      await pipeline(contents, createWriteStream(file, { mode: 0o600 }), { signal });
      const { sampleFps, detector } = this.#options;
      const order: ClipOrder = {
        file,
        type: await typeOf(file),
        sampleFps,
        watch: watchOf(job),
        ...(detector && { detector }),
      };
      return await look(order, listener, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** What the rules want of the pictures beside the tracks. */
function watchOf({ subject, baseline, cameraId }: RehearsalJob): BackgroundWatch | null {
  const drawn = [subject, ...(baseline ? [baseline] : [])].map((one, index) => {
    const { rule, zone } = ruleOf(one, cameraId);
    // Two shapes of one zone are two zones here.
    const zoneId = `${zone.id}-${index}`;
    return { rule: { ...rule, zoneId }, zone: { ...zone, id: zoneId } };
  });
  return backgroundWatch(
    drawn.map(({ rule }) => rule),
    drawn.map(({ zone }) => zone),
  );
}

/** @throws HuishiError REHEARSAL_CLIP_CORRUPT */
async function typeOf(file: string): Promise<ClipType> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(CLIP_TYPE_BYTES), 0, CLIP_TYPE_BYTES, 0);
    const type = clipTypeOf(buffer.subarray(0, bytesRead));
    if (type) return type;
  } finally {
    await handle.close();
  }
  throw new HuishiError("REHEARSAL_CLIP_CORRUPT", "The clip is no video that can be read; upload it again.");
}

async function look(order: ClipOrder, listener: FrameListener, signal: AbortSignal): Promise<LookedAt> {
  const child = fork(childPath, [JSON.stringify(order)], {
    serialization: "advanced",
    execArgv: fromSource ? sourceArguments : [],
    env: { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"] },
  });
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  try {
    if (child.pid !== undefined) lower(child.pid);
    return await listen(child, listener);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}

function listen(child: ChildProcess, listener: FrameListener): Promise<LookedAt> {
  return new Promise((resolve, reject) => {
    const silent = setTimeout(() => {
      reject(
        new HuishiError(
          "REHEARSAL_CLIP_STALLED",
          "The clip gave no picture for a minute; it may be damaged.",
        ),
      );
    }, SILENT_MS);
    const settle = (error: Error): void => {
      clearTimeout(silent);
      reject(error);
    };
    child.on("message", (word: ClipWord) => {
      silent.refresh();
      try {
        if (word.type === "begin") listener.onBegin({});
        else if (word.type === "frame") {
          listener.onFrame(word.frame);
          if (word.progress !== null) listener.onProgress(word.progress);
        } else if (word.type === "failed") settle(new HuishiError(word.code, word.message));
        else {
          clearTimeout(silent);
          const whole = { fromMs: 0, toMs: word.lengthMs };
          resolve({ ...whole, coveredMs: word.lengthMs, looked: [whole] });
        }
      } catch (error) {
        settle(error as Error);
      }
    });
    child.once("error", (cause) =>
      settle(
        new HuishiError("REHEARSAL_FAILED", "The analysis of the clip could not be started.", { cause }),
      ),
    );
    // After `done` or `failed` this changes nothing.
    child.once("close", () =>
      settle(
        new HuishiError(
          "REHEARSAL_CLIP_CORRUPT",
          "The analysis of the clip ended at once; it may be damaged.",
        ),
      ),
    );
  });
}

function lower(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // It ended already, or the system does not allow it: then it runs as it is.
  }
}
