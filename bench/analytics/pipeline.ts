/** Everything but decoding (gate, regions, crops, inference, merging, tracking) against the same inferences bare. */
import { FrameAnalysis } from "../../services/analytics/src/adapters/inference-process/frame-analysis.ts";
import { loadModel, OnnxDetector } from "../../services/analytics/src/adapters/onnxruntime/index.ts";
import { FrameDecoder, type DecodedFrame } from "../../services/analytics/src/adapters/ffmpeg/index.ts";
import { PARAMETERS } from "../../services/analytics/src/domain/tracker/parameters.ts";
import { bareInference, cpuMsSince } from "./bounds.ts";
import { type Clip, encodeStream, findVideos } from "./footage.ts";
import type { MeasureOptions } from "./setup.ts";
import { SAMPLE_FPS } from "./setup.ts";

export async function measurePipeline({ media, rate }: MeasureOptions): Promise<unknown> {
  const detector = await OnnxDetector.open(await loadModel(), { minScore: PARAMETERS.lowScore });
  const bare = await bareInference();
  const total = { pipelineMs: 0, bareMs: 0, frames: 0, inferences: 0 };
  const stages = { gate: 0, detect: 0, track: 0 };
  for (const video of findVideos(media)) {
    const frames = await decode(await encodeStream(video, { rate, groupSeconds: 2 }));
    const analysis = new FrameAnalysis({ cameraId: "bench", sampleFps: SAMPLE_FPS }, detector);
    for (const frame of frames) {
      const mark = process.cpuUsage();
      const { regions, stageMs } = await analysis.analyse(frame, 0);
      total.pipelineMs += cpuMsSince(mark);
      // At once, so that what else the machine does hits both alike.
      const bareMark = process.cpuUsage();
      for (let i = 0; i < regions.length; i++) await bare.run();
      total.bareMs += cpuMsSince(bareMark);
      total.frames += 1;
      total.inferences += regions.length;
      for (const stage of ["gate", "detect", "track"] as const) stages[stage] += stageMs[stage] ?? 0;
    }
  }
  await Promise.all([detector.close(), bare.close()]);
  const each = (sum: number, of: number): number => Math.round((sum / of) * 1000) / 1000;
  return {
    measure: "pipeline without decoding against a bare loop of session.run, processor time",
    frames: total.frames,
    inferencesPerFrame: each(total.inferences, total.frames),
    bareInferenceMs: each(total.bareMs, total.inferences),
    pipelineMsPerFrame: each(total.pipelineMs, total.frames),
    stageMsPerFrame: Object.fromEntries(
      Object.entries(stages).map(([stage, sum]) => [stage, each(sum, total.frames)]),
    ),
    ratio: each(total.bareMs, total.pipelineMs),
    bound: ">= 0.85",
  };
}

/** The sampled frames of a clip, as the decoder gives them. */
async function decode(clip: Clip): Promise<DecodedFrame[]> {
  const frames: DecodedFrame[] = [];
  const decoder = new FrameDecoder({
    name: "bench",
    sampleFps: SAMPLE_FPS,
    onFrame: (frame) => frames.push(frame),
    onDrop: () => undefined,
    onFault: (error) => process.stderr.write(`${error.code} ${error.message}\n`),
  });
  const expected = Math.floor((clip.units.length / clip.fps) * Math.min(SAMPLE_FPS, clip.fps)) - 1;
  for (const [index, unit] of clip.units.entries()) {
    decoder.push({ ...unit, capturedAtMs: Math.round((index * 1000) / clip.fps) });
    if (index % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (let waits = 0; frames.length < expected && waits < 100; waits++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await decoder.close();
  return frames;
}
