/** Many cameras at once: what is dropped, what it takes of the machine. */
import { type Clip, encodeStream, findVideos } from "./footage.ts";
import { type MeasureOptions, SAMPLE_FPS, startRunning } from "./setup.ts";
import { measureWindow, rounded } from "./window.ts";

/** Cameras at `SAMPLE_FPS` analysed frames a second. */
export async function measureMany(options: MeasureOptions): Promise<unknown> {
  const { seconds = 60, cameras = 30 } = options;
  const clips = await clipsOf(options);
  const running = await startRunning(cameras, "intrusion");
  const window = await measureWindow(running, { clips, warmUpSeconds: 15, seconds });
  await running.stop();
  const expected = cameras * SAMPLE_FPS * seconds;
  return {
    measure: `${cameras} cameras at ${SAMPLE_FPS} frames/s for ${seconds} s`,
    footage: `${clips.length} clips, 640x360, ${rounded(window.pictures / seconds / cameras)} pictures/s`,
    expected,
    analysed: window.frames,
    analysedRatio: rounded(window.frames / expected),
    dropped: window.drops,
    inferencesPerFrame: rounded(window.inferences / window.frames),
    ...window.figures,
  };
}

/** Cameras of which keyframes alone are analysed, one every two seconds. */
export async function measureKeyframes(options: MeasureOptions): Promise<unknown> {
  const { seconds = 60, cameras = 200 } = options;
  const clips = await clipsOf(options);
  const running = await startRunning(cameras, "dwell");
  const window = await measureWindow(running, { clips, warmUpSeconds: 20, seconds, keyframesOnly: true });
  await running.stop();
  return {
    measure: `${cameras} cameras, keyframes alone, for ${seconds} s`,
    expected: window.pictures,
    analysed: window.frames,
    dropped: window.drops,
    inferencesPerFrame: rounded(window.inferences / window.frames),
    ...window.figures,
  };
}

async function clipsOf({ media, rate }: MeasureOptions): Promise<Clip[]> {
  const clips: Clip[] = [];
  for (const video of findVideos(media)) clips.push(await encodeStream(video, { rate, groupSeconds: 2 }));
  return clips;
}
