/** Entry of the process that looks at one clip: the live pipeline's detector and tracker, at the clip's own pace. */
import { HuishiError, messageOf } from "@huishi/kernel";
import { PARAMETERS } from "../../domain/tracker/parameters.ts";
import { openDetector } from "../detector/open-detector.ts";
import { FrameAnalysis } from "../inference-process/frame-analysis.ts";
import { clipPictures, probeClip } from "./clip-pictures.ts";
import type { ClipOrder, ClipWord } from "./messages.ts";

/** Resolves when the parent has it: no frame is decoded before the one before was taken. */
function say(word: ClipWord): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || !process.send) resolve();
    else process.send(word, undefined, undefined, () => resolve());
  });
}

async function look({ file, type, sampleFps, watch, detector: choice }: ClipOrder): Promise<void> {
  const facts = await probeClip({ file, type });
  const detector = await openDetector(choice ?? {}, { minScore: PARAMETERS.lowScore });
  const analysis = new FrameAnalysis({ cameraId: "clip", sampleFps, ...(watch && { watch }) }, detector);
  await say({ type: "begin" });
  let frames = 0;
  let lastMs = 0;
  for await (const picture of clipPictures({ file, type }, facts, sampleFps)) {
    const { tracks: all, picture: seen = {} } = await analysis.analyse(picture, 0);
    // A tentative track is not believed yet, as in a camera's scene.
    const tracks = all.filter(({ state }) => state !== "tentative");
    const { capturedAtMs } = picture;
    const progress = facts.lengthMs === null ? null : capturedAtMs / facts.lengthMs;
    await say({ type: "frame", frame: { capturedAtMs, tracks, picture: seen }, progress });
    frames++;
    lastMs = capturedAtMs;
  }
  await say({ type: "done", frames, lengthMs: Math.round(lastMs + 1_000 / sampleFps) });
}

// The parent decides when this process ends: Ctrl-C reaches the whole process group.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
// Without a parent nobody wants the result; an exit during an inference would abort, a kill does not.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

try {
  await look(JSON.parse(process.argv[2] ?? "{}") as ClipOrder);
} catch (error) {
  const code = error instanceof HuishiError ? error.code : "REHEARSAL_FAILED";
  await say({ type: "failed", code, message: messageOf(error) });
}
process.kill(process.pid, "SIGKILL");
