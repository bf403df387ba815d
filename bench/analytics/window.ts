/** One stretch of playing under measurement. */
import { loadavg } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { cpuSecondsByProgram, memoryOfTree } from "../support/process-tree.ts";
import { describeMs } from "../support/statistics.ts";
import { type Clip, play, startOf } from "./footage.ts";
import type { Running } from "./setup.ts";

export interface Window {
  readonly seconds: number;
  /** Processor seconds by program: `node` is rules, writing and the bench's own playing; `child` infers. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly frames: number;
  readonly inferences: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly pictures: number;
  readonly figures: Record<string, unknown>;
}

export interface PlayOptions {
  readonly clips: readonly Clip[];
  /** Played before the measurement begins: decoders start, models warm up, gates learn. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly keyframesOnly?: boolean;
}

/** Plays clips to all cameras, each from another keyframe on, and measures after the warm-up. */
export async function measureWindow(running: Running, options: PlayOptions): Promise<Window> {
  const { clips, warmUpSeconds, seconds, keyframesOnly = false } = options;
  let pictures = 0;
  const playing = Promise.all(
    running.cameras.map((cameraId, index) => {
      const clip = clips[index % clips.length] as Clip;
      const from = startOf(clip, index, running.cameras.length);
      const phase = index / running.cameras.length;
      return play(clip, { from, seconds: warmUpSeconds + seconds, phase, keyframesOnly }, (unit) => {
        pictures += 1;
        running.publish(cameraId, unit);
      });
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, warmUpSeconds * 1000));
  const before = {
    ...counts(running),
    pictures,
    cpu: cpuSecondsByProgram(process.pid),
    ages: running.agesMs.length,
  };
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  await playing;
  loop.disable();
  const cpu = cpuSecondsByProgram(process.pid);
  // What is under way still counts, for the figures as for the drops.
  await new Promise((resolve) => setTimeout(resolve, 700));
  const after = counts(running);
  const cpuSeconds = Object.fromEntries(
    Object.entries(cpu).map(([name, used]) => [name, rounded(used - (before.cpu[name] ?? 0))]),
  );
  const memory = memoryOfTree(process.pid);
  return {
    seconds,
    cpuSeconds,
    frames: after.frames - before.frames,
    inferences: after.inferences - before.inferences,
    drops: difference(after.drops, before.drops),
    pictures: pictures - before.pictures,
    figures: {
      coresUsed: rounded(sum(Object.values(cpuSeconds)) / seconds),
      cpuSeconds,
      captureToResult: describeMs(running.agesMs.slice(before.ages)),
      eventLoopDelayMs: { p99: rounded(loop.percentile(99) / 1e6 - 5), max: rounded(loop.max / 1e6 - 5) },
      memoryMb: { pss: Math.round(memory.pssMb), rss: Math.round(memory.rssMb) },
      memoryMbPerCamera: {
        pss: rounded(memory.pssMb / running.cameras.length),
        rss: rounded(memory.rssMb / running.cameras.length),
      },
      loadAverage: loadavg().map(rounded),
    },
  };
}

function counts({ analytics }: Running): {
  frames: number;
  inferences: number;
  drops: Record<string, number>;
} {
  const { framesAnalysed, dropped, cameras } = analytics.stats();
  return {
    frames: framesAnalysed,
    inferences: Math.round(sum(cameras.map((camera) => camera.inferencesPerFrame * camera.framesAnalysed))),
    drops: { ...dropped },
  };
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
