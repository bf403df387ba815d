/**
 * Two figures about inference, each against a bound measured in the same run.
 *
 *   node --import tsx --conditions=huishi-source bench/inference.ts VIDEO [SECONDS]
 *
 * 1. The detector (crop, scale, infer, decode, merge) against a bare loop of `session.run` on the same model.
 * 2. Four cameras of at most 640x360, 5 analysed frames a second each, through decoders and inference processes in
 *    real time: analysed against expected samples, drops by reason, where the time went.
 */
import type { AccessUnit } from "@huishi/contracts";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  ForkedInferencePool,
  type InferenceResult,
} from "../services/analytics/src/adapters/inference-process/index.ts";
import {
  loadModel,
  OnnxDetector,
  sessionOptions,
} from "../services/analytics/src/adapters/onnxruntime/index.ts";
import { encodeClip, playClip, startsOf } from "./support/clip.ts";

const CAMERAS = 4;
const SAMPLE_FPS = 5;
const WARM_UP = 20;
const RUNS = 200;

const [video, secondsText = "60"] = process.argv.slice(2);
if (video === undefined) {
  process.stderr.write("usage: bench/inference.ts VIDEO [SECONDS]\n");
  process.exit(2);
}
const seconds = Number(secondsText);

await compareWithBareLoop();
await playCameras(await encodeClip(video), seconds);

async function compareWithBareLoop(): Promise<void> {
  const model = await loadModel();
  const session = await InferenceSession.create(model.bytes, sessionOptions);
  const { name, size } = model.record.input;
  const pixels = new Tensor("uint8", new Uint8Array(size * size * 3), [1, size, size, 3]);
  const detector = await OnnxDetector.open(model);
  const frame = { data: new Uint8Array(640 * 360 * 3), width: 640, height: 360 };
  const whole = [{ kind: "whole" as const, x: 0, y: 0, w: 640, h: 360 }];
  const bare = (): Promise<unknown> => session.run({ [name]: pixels });
  const pipeline = (): Promise<unknown> => detector.detect(frame, whole);
  const sums = { bare: 0, pipeline: 0 };
  for (let i = 0; i < WARM_UP + RUNS; i++) {
    // In turn, so that what else the machine does hits both alike.
    const [bareMs, pipelineMs] = [await timed(bare), await timed(pipeline)];
    if (i < WARM_UP) continue;
    sums.bare += bareMs;
    sums.pipeline += pipelineMs;
  }
  await Promise.all([session.release(), detector.close()]);
  print({
    measure: "detector against bare session.run",
    bareMs: rounded(sums.bare / RUNS),
    detectorMs: rounded(sums.pipeline / RUNS),
    throughputRatio: rounded(sums.bare / sums.pipeline),
  });
}

async function playCameras(clip: readonly AccessUnit[], playSeconds: number): Promise<void> {
  const drops: Record<string, number> = {};
  const results: InferenceResult[] = [];
  const lagsMs: number[] = [];
  const pool = new ForkedInferencePool({
    onFault: (error) => print({ fault: error.code, message: error.message }),
  });
  const feeds = await Promise.all(
    Array.from({ length: CAMERAS }, (_, index) =>
      pool.open({
        cameraId: `camera-${index}`,
        sampleFps: SAMPLE_FPS,
        onFrame: (frame) => {
          results.push(frame);
          lagsMs.push(Date.now() - frame.capturedAtMs);
        },
        onDrop: (reason, count) => (drops[reason] = (drops[reason] ?? 0) + count),
        onFault: () => undefined,
      }),
    ),
  );
  const starts = startsOf(clip, CAMERAS);
  await Promise.all(
    feeds.map((feed, index) =>
      playClip(clip, { from: starts[index] ?? 0, seconds: playSeconds }, (unit) => feed.push(unit)),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await pool.close();
  const expected = CAMERAS * SAMPLE_FPS * playSeconds;
  lagsMs.sort((a, b) => a - b);
  print({
    measure: `${CAMERAS} cameras at ${SAMPLE_FPS} frames/s for ${playSeconds} s`,
    expectedSamples: expected,
    analysedSamples: results.length,
    analysedRatio: rounded(results.length / expected),
    drops,
    inferencesPerFrame: rounded(mean(results.map((result) => result.regions.length))),
    stageMs: Object.fromEntries(
      (["decode", "queue", "gate", "detect", "track"] as const).map((stage) => [
        stage,
        rounded(mean(results.map((result) => result.stageMs[stage] ?? 0))),
      ]),
    ),
    captureToResultMs: {
      p50: lagsMs[Math.floor(lagsMs.length * 0.5)],
      p95: lagsMs[Math.floor(lagsMs.length * 0.95)],
      max: lagsMs.at(-1),
    },
    confirmedTracks: new Set(
      results.flatMap(({ cameraId, tracks }) =>
        tracks.filter(({ state }) => state === "confirmed").map(({ id }) => `${cameraId}/${id}`),
      ),
    ).size,
  });
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function print(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
