/**
 * The analysis against what it cannot do without, measured in the same run. Real street footage as 640x360 streams.
 *
 *   npm run bench:analytics -- pipeline  [MEDIA]                       everything but decoding, against bare session.run
 *   npm run bench:analytics -- camera    [MEDIA] [SECONDS] [CAMERAS]   CPU of whole cameras, against bare decoding and inferences
 *   npm run bench:analytics -- thirty    [MEDIA] [SECONDS] [CAMERAS]   30 cameras at 5 frames/s: drops, cores, memory, event loop
 *   npm run bench:analytics -- keyframes [MEDIA] [SECONDS] [CAMERAS]   200 cameras, keyframes alone
 *
 * MEDIA is a video or a folder of videos (default ../shared/media). `--stream-fps N` sets what the cameras send
 * (default: the footage's own rate, up to 25). Runs what `npm run build:ts` made, as production does. Needs ffmpeg and a built
 * model.
 */
import { parseArgs } from "node:util";
import { measureCamera } from "./analytics/camera.ts";
import { measureKeyframes, measureMany } from "./analytics/many.ts";
import { measurePipeline } from "./analytics/pipeline.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "stream-fps": { type: "string" } },
});
const [mode, media = "../shared/media", seconds, cameras] = positionals;
const streamFps = values["stream-fps"];
const options = {
  media,
  rate: streamFps === undefined ? ("native" as const) : Number(streamFps),
  ...(seconds !== undefined && { seconds: Number(seconds) }),
  ...(cameras !== undefined && { cameras: Number(cameras) }),
};

const modes: Readonly<Record<string, (given: typeof options) => Promise<unknown>>> = {
  pipeline: measurePipeline,
  camera: measureCamera,
  thirty: measureMany,
  keyframes: measureKeyframes,
};
const measure = modes[mode ?? ""];
if (measure === undefined) {
  process.stderr.write(
    "usage: bench/analytics.ts pipeline|camera|thirty|keyframes [MEDIA] [SECONDS] [CAMERAS]\n",
  );
  process.exit(2);
}
process.stdout.write(`${JSON.stringify(await measure(options), null, 2)}\n`);
process.exit(0);
