import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { AccessUnit } from "@huishi/contracts";
import type { HuishiError } from "@huishi/kernel";
import type { CameraFeed } from "../../application/ports.ts";
import { encodeClip, until } from "../ffmpeg/test-support/access-units.ts";
import { findModel, readModelRegistry } from "../model-registry/index.ts";
import { isModelBuilt } from "../onnxruntime/test-support/model.ts";
import type { InferenceResult } from "./inference-feed.ts";
import { ForkedInferencePool, type ForkedInferencePoolOptions } from "./inference-pool.ts";

const withModel = test.skipIf(!(await isModelBuilt()));
const startMs = 1_700_000_000_000;
let clip: AccessUnit[];
beforeAll(async () => {
  clip = await encodeClip({ startMs, seconds: 2, size: "640x360" });
});

const pools: ForkedInferencePool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function startPool(options: ForkedInferencePoolOptions = {}): {
  pool: ForkedInferencePool;
  faults: HuishiError[];
} {
  const faults: HuishiError[] = [];
  const pool = new ForkedInferencePool({ processes: 2, onFault: (error) => faults.push(error), ...options });
  pools.push(pool);
  return { pool, faults };
}

interface Watched {
  readonly feed: CameraFeed;
  readonly frames: InferenceResult[];
  readonly drops: string[];
}

async function open(pool: ForkedInferencePool, cameraId: string): Promise<Watched> {
  const frames: InferenceResult[] = [];
  const drops: string[] = [];
  const feed = await pool.open({
    cameraId,
    sampleFps: 5,
    onFrame: (frame) => frames.push(frame),
    onDrop: (reason) => drops.push(reason),
    onFault: () => undefined,
  });
  return { feed, frames, drops };
}

/** Plays the clip from `fromMs` on, at ten times its speed, again and again until the condition holds. */
async function playUntil(watched: Watched, fromMs: number, condition: () => boolean): Promise<void> {
  for (let at = fromMs; !condition(); at += 2000) {
    for (const unit of clip) {
      watched.feed.push({ ...unit, capturedAtMs: unit.capturedAtMs + at });
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    if (at > fromMs + 200_000) throw new Error("played for too long");
  }
}

withModel("frames come back with their capture times and where the time went", async () => {
  const { pool, faults } = startPool();
  const camera = await open(pool, "north");
  await playUntil(camera, 0, () => camera.frames.length >= 5);
  const captured = new Set(camera.frames.map((frame) => (frame.capturedAtMs - startMs) % 200));
  expect([...captured]).toEqual([0]);
  expect(Object.keys(camera.frames[0]?.stageMs ?? {}).sort()).toEqual([
    "decode",
    "detect",
    "gate",
    "queue",
    "track",
  ]);
  expect(camera.frames[0]).toMatchObject({
    cameraId: "north",
    session: 1,
    regions: [{ kind: "whole", x: 0, y: 0, w: 640, h: 360 }],
  });
  expect(faults).toEqual([]);
});

withModel("the picture of an analysed frame can be had as JPEG, but not of one that never was", async () => {
  const { pool } = startPool();
  const camera = await open(pool, "north");
  await playUntil(camera, 0, () => camera.frames.length > 0);
  const jpeg = await camera.feed.snapshot(camera.frames.at(-1)?.capturedAtMs ?? 0);
  expect(Buffer.from(jpeg ?? []).toString("hex", 0, 3)).toBe("ffd8ff");
  expect(await camera.feed.snapshot(1)).toBeNull();
});

withModel(
  "a killed process is replaced: its camera goes on in a new session, the other is undisturbed",
  async () => {
    const { pool, faults } = startPool();
    const [north, south] = [await open(pool, "north"), await open(pool, "south")];
    const [northPid, southPid] = pool.pids as [number, number];
    await playUntil(north, 0, () => north.frames.length > 0);
    await playUntil(south, 0, () => south.frames.length > 0);
    process.kill(northPid, "SIGKILL");
    await until(() => faults.length > 0, "the death is reported");
    expect(faults[0]).toMatchObject({ code: "INFERENCE_PROCESS_DIED" });
    const before = north.frames.length;
    await playUntil(north, 300_000, () => north.frames.length > before);
    await playUntil(south, 300_000, () => (south.frames.at(-1)?.capturedAtMs ?? 0) >= startMs + 300_000);
    expect(new Set(north.frames.map((frame) => frame.session)).size).toBe(2);
    expect(new Set(south.frames.map((frame) => frame.session)).size).toBe(1);
    expect(pool.pids).toContain(southPid);
    expect(north.drops).toContain("process_unavailable");
  },
);

withModel(
  "now and then the picture itself is judged: one that stays black is told after twenty seconds",
  async () => {
    const { pool } = startPool();
    const camera = await open(pool, "north");
    const input = ["-f", "lavfi", "-i", "color=black:size=640x360:rate=25"];
    const black = await encodeClip({ startMs, seconds: 2, input });
    const told = () => camera.frames.flatMap(({ verdict }) => verdict?.faults ?? []);
    for (let at = 0; told().length === 0 && at < 120_000; at += 2_000) {
      for (const unit of black) {
        camera.feed.push({ ...unit, capturedAtMs: unit.capturedAtMs + at });
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    }
    expect(told()[0]?.fault).toBe("black");
    const judged = camera.frames.flatMap(({ verdict, capturedAtMs }) => (verdict ? [capturedAtMs] : []));
    expect(judged.every((atMs, i) => i === 0 || atMs - (judged[i - 1] ?? 0) >= 5_000)).toBe(true);
  },
);

withModel("closing while frames are inferred ends the processes in peace", async () => {
  const { pool, faults } = startPool();
  const camera = await open(pool, "north");
  const [pid] = pool.pids as [number];
  for (const unit of clip) camera.feed.push(unit);
  await until(() => camera.frames.length > 0, "inference has begun");
  await pool.close();
  expect(() => process.kill(pid, 0)).toThrow();
  expect(faults).toEqual([]);
  expect(await camera.feed.snapshot(startMs)).toBeNull();
  await expect(open(pool, "south")).rejects.toMatchObject({ code: "INFERENCE_CLOSED" });
});

withModel("a closed camera gives no more frames", async () => {
  const { pool } = startPool();
  const camera = await open(pool, "north");
  await playUntil(camera, 0, () => camera.frames.length > 0);
  await camera.feed.close();
  const before = camera.frames.length;
  const again = await open(pool, "north");
  await playUntil(again, 0, () => again.frames.length > 0);
  expect(camera.frames.length).toBe(before);
});

test("a model that is missing or corrupt is an error of open, with what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "huishi-registry-"));
  try {
    const ours = findModel(await readModelRegistry());
    const record = { ...ours, id: "broken", file: "broken.onnx", sha256: "0".repeat(64) };
    await writeFile(join(folder, "registry.json"), JSON.stringify({ default: "broken", models: [record] }));
    const { pool } = startPool({ detector: { modelsDir: folder } });
    await expect(open(pool, "north")).rejects.toMatchObject({ code: "MODEL_MISSING" });
    await writeFile(join(folder, "broken.onnx"), "not a model");
    await expect(open(pool, "north")).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  } finally {
    await rm(folder, { recursive: true });
  }
});
