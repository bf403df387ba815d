/**
 * Runs a video file through what a camera's frames go through (motion gate, choice of regions, detector, tracker),
 * writes the tracks in MOTChallenge form and scores them where there is ground truth.
 *
 *   npm run eval:video -- --video FILE --classes person --out FILE [--gt FILE] [--fps 5] [--bounds 640x360] [--whole]
 *
 * Every picture of the file is analysed, in file time; `--fps 5` takes that many a second. Frames are numbered as in
 * the file, from 1, boxes are in pixels of the source whatever the analysis size (`--bounds`). `--whole` looks at the
 * whole of every frame, as the comparison. Needs ffmpeg and a built model. Scores are over the frames analysed.
 */
import { parseArgs } from "node:util";
import { fitWithin } from "../services/analytics/src/adapters/ffmpeg/analysis-size.ts";
import { FrameAnalysis } from "../services/analytics/src/adapters/inference-process/frame-analysis.ts";
import type { FrameResult } from "../services/analytics/src/adapters/inference-process/messages.ts";
import { loadModel, OnnxDetector } from "../services/analytics/src/adapters/onnxruntime/index.ts";
import { PARAMETERS } from "../services/analytics/src/domain/tracker/parameters.ts";
import { countSequence, type MotRow, scores } from "../services/analytics/src/eval/index.ts";
import { percent, positive, readMot, runTool, scoreLine, usage, writeMot } from "./support/evaluation.ts";
import { openVideo, pictures, type Video } from "./support/video-file.ts";

const STAGES = ["gate", "detect", "track"] as const;

interface Options {
  readonly video: string;
  readonly classes: readonly string[] | null;
  readonly fps: number | undefined;
  readonly bounds: { readonly width: number; readonly height: number };
  readonly whole: boolean;
  readonly gt: string | undefined;
  readonly out: string | undefined;
}

function readOptions(): Options {
  const string = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      video: string,
      classes: string,
      gt: string,
      fps: string,
      bounds: { ...string, default: "640x360" },
      whole: { type: "boolean", default: false },
      out: string,
    },
  });
  const { video, classes, bounds, whole, gt, out } = values;
  if (video === undefined || (gt === undefined && out === undefined))
    usage("Give --video FILE with --out FILE or --gt FILE.");
  const [, width, height] =
    /^(\d{2,4})x(\d{2,4})$/.exec(bounds) ?? usage(`--bounds ${bounds}: give 640x360.`);
  return {
    video,
    classes: classes?.split(",") ?? null,
    fps: positive("fps", values.fps),
    bounds: { width: Number(width), height: Number(height) },
    whole,
    gt,
    out,
  };
}

/** What is shown as present in a frame. */
function rowsOf({ tracks }: FrameResult, frame: number, { width, height }: Video): MotRow[] {
  return tracks
    .filter((track) => track.state === "confirmed")
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

function wantedClasses(detector: OnnxDetector, names: readonly string[] | null): OnnxDetector["classes"] {
  if (names === null) return detector.classes;
  const unknown = names.find((name) => !detector.classes.some((known) => known === name));
  if (unknown !== undefined) usage(`--classes ${unknown}: the model knows ${detector.classes.join(", ")}.`);
  return detector.classes.filter((known) => names.includes(known));
}

interface Analysed {
  readonly rows: MotRow[];
  /** Numbers of the frames analysed. */
  readonly frames: number[];
  readonly inferences: number;
  readonly stageMs: Record<(typeof STAGES)[number], number>;
}

async function analyse(video: Video, detector: OnnxDetector, options: Options): Promise<Analysed> {
  const size = fitWithin(video, options.bounds);
  const classes = wantedClasses(detector, options.classes);
  const sampleFps = Math.min(options.fps ?? video.fps, video.fps);
  const analysis = new FrameAnalysis(
    { cameraId: "file", sampleFps, classes, motionGate: !options.whole },
    detector,
  );
  const rows: MotRow[] = [];
  const frames: number[] = [];
  const stageMs = { gate: 0, detect: 0, track: 0 };
  let inferences = 0;
  for await (const { frame, data } of pictures(video, size, sampleFps)) {
    const capturedAtMs = Math.round((frame * 1000) / video.fps);
    const analysed = await analysis.analyse({ data, ...size, capturedAtMs, decodeMs: 0 }, 0);
    rows.push(...rowsOf(analysed, frame, video));
    frames.push(frame);
    inferences += analysed.regions.length;
    for (const stage of STAGES) stageMs[stage] += analysed.stageMs[stage] ?? 0;
  }
  console.log(
    `${size.width}x${size.height} at ${sampleFps.toFixed(1)}/s${options.whole ? ", whole frames" : ""}`,
  );
  return { rows, frames, inferences, stageMs };
}

function printScores(gt: string, { rows, frames }: Analysed): void {
  const analysed = new Set(frames);
  const counts = countSequence(
    readMot(gt).filter(({ frame }) => analysed.has(frame)),
    rows,
  );
  const { truePositives: right, falsePositives: wrong, misses } = counts.clear;
  console.log(
    `boxes: precision ${percent(right / (right + wrong))} recall ${percent(right / (right + misses))} F1 ${percent((2 * right) / (2 * right + wrong + misses))}`,
  );
  console.log(`tracks: ${scoreLine(scores([counts]))}`);
}

async function main(): Promise<void> {
  const options = readOptions();
  const video = await openVideo(options.video);
  const detector = await OnnxDetector.open(await loadModel(), { minScore: PARAMETERS.lowScore });
  try {
    const analysed = await analyse(video, detector, options);
    const each = (total: number) => (total / analysed.frames.length).toFixed(2);
    console.log(`${analysed.frames.length} frames, ${each(analysed.inferences)} inferences a frame`);
    console.log(
      `ms a frame: ${STAGES.map((stage) => `${stage} ${each(analysed.stageMs[stage])}`).join(" ")}`,
    );
    if (options.out !== undefined) writeMot(options.out, analysed.rows);
    if (options.gt !== undefined) printScores(options.gt, analysed);
  } finally {
    await detector.close();
  }
}

await runTool(main);
