/** Processor time of whole cameras against that of decoding their pictures and of their inferences, both bare. */
import { availableParallelism } from "node:os";
import { bareDecodeMs, bareInferenceMs, pacedInferenceMs } from "./bounds.ts";
import { encodeStream, findVideos } from "./footage.ts";
import { type MeasureOptions, startRunning } from "./setup.ts";
import { measureWindow, rounded, sum } from "./window.ts";

/** Of inference, as many as there are cores here. */
const PROCESSES = availableParallelism();

export async function measureCamera({
  media,
  rate,
  seconds = 40,
  cameras = 4,
}: MeasureOptions): Promise<unknown> {
  const videos = findVideos(media);
  const every = Math.max(1, Math.floor(videos.length / cameras));
  const chosen = videos.filter((_, index) => index % every === 0).slice(0, cameras);
  const clips = [];
  for (const video of chosen) clips.push(await encodeStream(video, { rate, groupSeconds: 2 }));
  const before = await bounds(clips);
  const running = await startRunning(cameras, "intrusion");
  const window = await measureWindow(running, { clips, warmUpSeconds: 45, seconds });
  await running.stop();
  const after = await bounds(clips);
  const pacedMs = await pacedInferenceMs(PROCESSES, cameras * 5);
  const inferenceMs = (before.inferenceMs + after.inferenceMs) / 2;
  // A clip's pictures a second count as often as its cameras play them.
  const decodeMs = (before.decodeMs + after.decodeMs) / 2;
  const boundSeconds = (window.pictures * decodeMs + window.inferences * inferenceMs) / 1000;
  const usedSeconds = sum(
    Object.entries(window.cpuSeconds)
      .filter(([name]) => name !== "postgres")
      .map(([, used]) => used),
  );
  return {
    measure: `${cameras} whole cameras for ${seconds} s, processor time`,
    footage: clips.map(({ name }) => name),
    pictures: window.pictures,
    frames: window.frames,
    inferences: window.inferences,
    dropped: window.drops,
    bareDecodeMs: rounded(decodeMs),
    bareInferenceMs: rounded(inferenceMs),
    boundSeconds: rounded(boundSeconds),
    usedSeconds: rounded(usedSeconds),
    ratio: rounded(usedSeconds / boundSeconds),
    // The same inferences bare, with the cameras' pauses between them, in as many processes.
    pacedInferenceMs: rounded(pacedMs),
    ratioPaced: rounded((usedSeconds * 1000) / (window.pictures * decodeMs + window.inferences * pacedMs)),
    ratioWithDatabase: rounded(sum(Object.values(window.cpuSeconds)) / boundSeconds),
    bound: "<= 1.25",
    ...window.figures,
  };
}

/** Mean over all pictures of the clips, and one inference. */
async function bounds(
  clips: Parameters<typeof bareDecodeMs>[0][],
): Promise<{ decodeMs: number; inferenceMs: number }> {
  const inferenceMs = await bareInferenceMs();
  let weighted = 0;
  for (const clip of clips) weighted += (await bareDecodeMs(clip)) * clip.fps;
  return { inferenceMs, decodeMs: weighted / sum(clips.map(({ fps }) => fps)) };
}
