/** Real street footage as cameras' small streams bring it: 640x360, H.264, a keyframe every two seconds. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AccessUnit } from "@huishi/contracts";
import { FlvDemuxer } from "@huishi/media";
import { output } from "./child-output.ts";

const WIDTH = 640;
const HEIGHT = 360;

export interface Clip {
  readonly name: string;
  readonly fps: number;
  readonly units: readonly AccessUnit[];
  /** The same as a file, for the bare decoder. */
  readonly file: string;
}

/** The videos in a folder and its folder `street`; a file stands for itself. */
export function findVideos(from: string): string[] {
  if (!existsSync(from)) throw new Error(`${from} does not exist: name a video or a folder of videos`);
  if (statSync(from).isFile()) return [from];
  return [from, path.join(from, "street")]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /\.(mp4|avi|mkv)$/.test(name))
        .map((name) => path.join(folder, name)),
    )
    .sort();
}

/**
 * @param rate frames a second: `native`, or what the camera's small stream is set to
 * @param groupSeconds time between keyframes
 */
export async function encodeStream(
  video: string,
  { rate, groupSeconds }: { readonly rate: "native" | number; readonly groupSeconds: number },
): Promise<Clip> {
  const filter = [
    `scale=${WIDTH}:${HEIGHT}:force_original_aspect_ratio=increase:force_divisible_by=2,crop=${WIDTH}:${HEIGHT}`,
    ...(rate === "native" ? [] : [`fps=${rate}`]),
  ].join(",");
  const codec = `-c:v libx264 -preset veryfast -tune zerolatency -bf 0 -pix_fmt yuv420p -force_key_frames expr:gte(t,n_forced*${groupSeconds})`;
  const made = ["-i", video, "-an", "-vf", filter, ...codec.split(" "), "-f", "flv"];
  const { mtimeMs } = statSync(video);
  const key = createHash("sha256")
    .update(JSON.stringify([made, mtimeMs]))
    .digest("hex")
    .slice(0, 16);
  const folder = path.join(tmpdir(), "huishi-bench-footage");
  const file = path.join(folder, `${key}.flv`);
  await mkdir(folder, { recursive: true });
  if (!existsSync(file)) {
    await writeFile(`${file}.part`, await output("ffmpeg", ["-v", "error", ...made, "pipe:1"]));
    await rename(`${file}.part`, file);
  }
  const units = new FlvDemuxer()
    .push(await readFile(file))
    .map(({ annexB, keyframe, ptsMs }, index): AccessUnit => ({
      codec: "h264",
      keyframe,
      discontinuity: false,
      unitNumber: index,
      capturedAtMs: 0,
      ptsMs,
      data: annexB,
    }));
  const spanMs = (units.at(-1)?.ptsMs ?? 0) - (units[0]?.ptsMs ?? 0);
  return { name: path.basename(video), fps: ((units.length - 1) * 1000) / spanMs, units, file };
}

/**
 * Plays a clip in real time, round and round, from its `from`-th unit; capture times are the wall clock's. Cameras know
 * nothing of one another: `phase` is the share of a picture's time by which this one is behind the full tick.
 */
export async function play(
  clip: Clip,
  options: {
    readonly from: number;
    readonly seconds: number;
    readonly phase?: number;
    readonly keyframesOnly?: boolean;
  },
  push: (unit: AccessUnit) => void,
): Promise<void> {
  const frameMs = 1000 / clip.fps;
  const startMs = Date.now() + (options.phase ?? 0) * frameMs;
  for (let i = 0; i * frameMs < options.seconds * 1000; i++) {
    const unit = clip.units[(options.from + i) % clip.units.length] as AccessUnit;
    if (options.keyframesOnly && !unit.keyframe) continue;
    const atMs = startMs + i * frameMs;
    const waitMs = atMs - Date.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    push({ ...unit, capturedAtMs: Math.round(atMs) });
  }
}

/** The keyframe at which the `index`-th of so many cameras begins. */
export function startOf(clip: Clip, index: number, cameras: number): number {
  const keyframes = clip.units.flatMap((unit, at) => (unit.keyframe ? [at] : []));
  return keyframes[Math.floor((index * keyframes.length) / cameras) % keyframes.length] ?? 0;
}
