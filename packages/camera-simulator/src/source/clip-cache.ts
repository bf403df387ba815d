/** Encodes short moving test pictures once and keeps them as elementary streams beside the converted videos. */
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf } from "@huishi/kernel";
import { SimulatorError } from "../errors.ts";
import { type CodedClip, type VideoCodec, splitPictures } from "./coded-clip.ts";
import { lastLine, runToEnd, words } from "./ffmpeg.ts";

/** Change it when the arguments of ffmpeg change. */
const RECIPE = 1;
const ENCODE_TIMEOUT_MS = 120_000;

export interface ClipOptions {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** Default 25; at most 60. */
  readonly fps?: number;
  /** Seconds from keyframe to keyframe, and of the whole clip; default 2, at most 10. */
  readonly groupSeconds?: number;
}

function encoder(codec: VideoCodec, group: number): string[] {
  if (codec === "h264")
    return words(
      `-c:v libx264 -preset superfast -profile:v main -pix_fmt yuv420p -bf 0 -g ${group} -keyint_min ${group} -sc_threshold 0 -crf 26 -x264-params aud=1 -f h264`,
    );
  return words(
    `-c:v libx265 -preset ultrafast -pix_fmt yuv420p -crf 28 -x265-params aud=1:repeat-headers=1:keyint=${group}:min-keyint=${group}:scenecut=0:bframes=0:open-gop=0:log-level=none -f hevc`,
  );
}

/** @throws SimulatorError SIMULATOR_OPTIONS_INVALID */
function checked({ codec, width, height, fps = 25, groupSeconds = 2 }: ClipOptions): Required<ClipOptions> {
  const isSound = [width, height].every((side) => Number.isInteger(side) && side % 2 === 0 && side >= 64);
  if (
    !isSound ||
    width > 3840 ||
    height > 2160 ||
    !(fps >= 1 && fps <= 60) ||
    !(groupSeconds > 0 && groupSeconds <= 10)
  )
    throw new SimulatorError(
      "SIMULATOR_OPTIONS_INVALID",
      "a clip needs even sides from 64 to 3840x2160, 1 to 60 frames a second and a group of at most 10 s",
    );
  return { codec, width, height, fps, groupSeconds };
}

/**
 * One group of moving test pictures, encoded unless the folder has it.
 *
 * @throws SimulatorError SIMULATOR_OPTIONS_INVALID, FFMPEG_MISSING, ENCODER_FAILED, VIDEO_CACHE_UNWRITABLE
 */
export async function prepareClip(
  cacheFolder: string,
  options: ClipOptions,
  signal?: AbortSignal,
): Promise<CodedClip> {
  const { codec, width, height, fps, groupSeconds } = checked(options);
  const folder = resolve(cacheFolder);
  const file = join(folder, `clip-${RECIPE}-${width}x${height}-${fps}-${groupSeconds}.${codec}`);
  const bytes = await readFile(file).catch(() => undefined);
  const found = bytes ?? (await encode({ codec, width, height, fps, groupSeconds }, folder, file, signal));
  const pictures = splitPictures(codec, found);
  if (!pictures[0]?.keyframe)
    throw new SimulatorError("ENCODER_FAILED", `the clip ${file} does not begin with a keyframe; delete it`);
  return { codec, width, height, pictures, everyTicks: 1 };
}

async function encode(
  { codec, width, height, fps, groupSeconds }: Required<ClipOptions>,
  folder: string,
  file: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const temporary = await makeFolder(folder);
  try {
    const frames = Math.max(1, Math.round(fps * groupSeconds));
    const written = join(temporary, "clip");
    const finished = await runToEnd(
      "ffmpeg",
      [
        ...words(
          `-hide_banner -nostdin -loglevel error -f lavfi -i testsrc2=size=${width}x${height}:rate=${fps}`,
        ),
        ...words(`-frames:v ${frames}`),
        ...encoder(codec, frames),
        written,
      ],
      { timeoutMs: ENCODE_TIMEOUT_MS, ...(signal ? { signal } : {}) },
    );
    if (finished.code !== 0)
      throw new SimulatorError("ENCODER_FAILED", `the clip was not encoded: ${lastLine(finished.stderr)}`);
    const bytes = await readFile(written);
    await rename(written, file);
    return bytes;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await mkdtemp(join(folder, ".converting-"));
  } catch (cause) {
    throw new SimulatorError(
      "VIDEO_CACHE_UNWRITABLE",
      `cannot write clips to ${folder}: ${messageOf(cause)}`,
      { cause },
    );
  }
}
