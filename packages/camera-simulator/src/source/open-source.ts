import { SimulatorError } from "../errors.ts";
import type { SourceOptions } from "../types.ts";
import { ClipSource } from "./clip-source.ts";
import { ClockSource } from "./clock-source.ts";
import { FilePlayer } from "./file-player.ts";
import type { VideoCache } from "./video-cache.ts";
import type { VideoSource } from "./video-stream.ts";

/** Makes the source that the options describe; a file is converted first. */
export async function openSource(
  options: SourceOptions,
  cache: VideoCache,
  signal: AbortSignal,
): Promise<VideoSource> {
  if (options.kind === "generated") return new FilePlayer(await cache.prepareStreetScene(signal));
  if (options.kind === "clock") return openClock(options);
  if (options.kind === "clip") {
    const { main, sub } = await cache.prepareClips(options, signal);
    return new ClipSource(main, sub, options.fps ?? 25);
  }
  const limit = options.maxDurationMs === undefined ? {} : { maxDurationMs: options.maxDurationMs };
  return new FilePlayer(await cache.prepareFile(options.path, { ...limit, signal }));
}

function openClock({
  width = 640,
  height = 360,
  fps = 25,
}: Extract<SourceOptions, { kind: "clock" }>): ClockSource {
  const isSound = [width, height, fps].every(Number.isInteger) && width % 2 === 0 && height % 2 === 0;
  if (!isSound || width < 64 || width > 1920 || height < 36 || height > 1080 || fps < 1 || fps > 60) {
    throw new SimulatorError(
      "SIMULATOR_OPTIONS_INVALID",
      "the clock source needs even sides of at most 1920x1080 and 1 to 60 frames a second",
    );
  }
  return new ClockSource({ width, height, fps });
}
