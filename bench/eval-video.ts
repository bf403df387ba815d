/**
 * Runs a video file through what a camera's frames go through (motion gate, choice of regions, detector, tracker)
 * and scores the people found against ground truth in MOTChallenge form, whose frames are the file's.
 *
 *   npx tsx --conditions=huishi-source bench/eval-video.ts --video FILE --gt FILE [--fps 5] [--bounds 640x360]
 *       [--whole] [--out FILE]
 *
 * `--whole` looks at the whole of every frame instead, as the comparison. Needs ffmpeg and a built model.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fitWithin } from "../services/analytics/src/adapters/ffmpeg/analysis-size.ts";
import { FrameAnalysis } from "../services/analytics/src/adapters/inference-process/frame-analysis.ts";
import type { FrameResult } from "../services/analytics/src/adapters/inference-process/messages.ts";
import { loadModel, OnnxDetector } from "../services/analytics/src/adapters/onnxruntime/index.ts";
import { PARAMETERS } from "../services/analytics/src/domain/tracker/parameters.ts";
import {
  countSequence,
  formatMot,
  type MotRow,
  parseMot,
  scores,
} from "../services/analytics/src/eval/index.ts";

const { values } = parseArgs({
  options: {
    video: { type: "string" },
    gt: { type: "string" },
    fps: { type: "string", default: "5" },
    bounds: { type: "string", default: "640x360" },
    whole: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

interface Video {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

function probe(file: string): Video {
  const text = execFileSync(
    "ffprobe",
    [
      "-v",
      "error",
      "-select_streams",
      "v:0",
      "-show_entries",
      "stream=width,height,r_frame_rate",
      "-of",
      "json",
      file,
    ],
    { encoding: "utf8" },
  );
  const { streams } = JSON.parse(text) as {
    streams: { width: number; height: number; r_frame_rate: string }[];
  };
  const [stream] = streams;
  if (stream === undefined) throw new Error(`${file} has no video stream`);
  const [numerator, denominator] = stream.r_frame_rate.split("/").map(Number);
  return { width: stream.width, height: stream.height, fps: numerator! / denominator! };
}

/** Every n-th picture of the file as RGB. */
async function* pictures(
  file: string,
  size: { width: number; height: number },
  every: number,
): AsyncGenerator<Buffer> {
  const filter = `select=not(mod(n\\,${every})),scale=${size.width}:${size.height}`;
  const ffmpeg = spawn(
    "ffmpeg",
    ["-v", "error", "-i", file, "-vf", filter, "-vsync", "0", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const bytes = size.width * size.height * 3;
  let pending: Buffer[] = [];
  let length = 0;
  for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) {
    pending.push(chunk);
    length += chunk.length;
    if (length < bytes) continue;
    let all = Buffer.concat(pending);
    for (; all.length >= bytes; all = all.subarray(bytes)) yield all.subarray(0, bytes);
    pending = [all];
    length = all.length;
  }
}

function peopleOf({ tracks }: FrameResult, frame: number, { width, height }: Video): MotRow[] {
  return tracks
    .filter((track) => track.state === "confirmed" && track.objectClass === "person")
    .map(({ id, box, lastScore }) => ({
      frame,
      id,
      x: box.x * width,
      y: box.y * height,
      w: box.w * width,
      h: box.h * height,
      confidence: lastScore,
    }));
}

async function main(): Promise<void> {
  if (values.video === undefined || values.gt === undefined)
    throw new Error("Give --video FILE and --gt FILE.");
  const video = probe(values.video);
  const [boundWidth, boundHeight] = values.bounds.split("x").map(Number);
  const size = fitWithin(video, { width: boundWidth!, height: boundHeight! });
  const every = Math.max(1, Math.round(video.fps / Number(values.fps)));
  const detector = await OnnxDetector.open(await loadModel(), { minScore: PARAMETERS.lowScore });
  const analysis = new FrameAnalysis(
    { cameraId: "file", sampleFps: video.fps / every, motionGate: !values.whole },
    detector,
  );
  const result: MotRow[] = [];
  let inferences = 0;
  let frames = 0;
  const spent = { gate: 0, detect: 0, track: 0 };
  for await (const data of pictures(values.video, size, every)) {
    const frame = 1 + frames * every;
    const capturedAtMs = Math.round((frame * 1000) / video.fps);
    const analysed = await analysis.analyse({ data, ...size, capturedAtMs, decodeMs: 0 }, 0);
    result.push(...peopleOf(analysed, frame, video));
    inferences += analysed.regions.length;
    for (const stage of ["gate", "detect", "track"] as const) spent[stage] += analysed.stageMs[stage] ?? 0;
    frames++;
  }
  await detector.close();
  const truth = parseMot(readFileSync(values.gt, "utf8"), values.gt).filter(
    ({ frame }) => (frame - 1) % every === 0,
  );
  if (values.out !== undefined) writeFileSync(values.out, formatMot(result));
  const counts = countSequence(truth, result);
  const { truePositives, falsePositives, misses } = counts.clear;
  const percent = (value: number | null) => (value === null ? "-" : (value * 100).toFixed(1));
  const each = (total: number) => (total / frames).toFixed(2);
  const { hota, mota, idf1, idSwitches } = scores([counts]);
  console.log(
    [
      `${size.width}x${size.height} at ${(video.fps / every).toFixed(1)}/s${values.whole ? ", whole frames" : ""}: ${frames} frames, ${each(inferences)} inferences a frame`,
      `people: precision ${percent(truePositives / (truePositives + falsePositives))} recall ${percent(truePositives / (truePositives + misses))} F1 ${percent((2 * truePositives) / (2 * truePositives + falsePositives + misses))}`,
      `tracks: HOTA ${percent(hota)} MOTA ${percent(mota)} IDF1 ${percent(idf1)} switches ${idSwitches}`,
      `ms a frame: gate ${each(spent.gate)} detect ${each(spent.detect)} track ${each(spent.track)}`,
    ].join("\n"),
  );
}

await main();
