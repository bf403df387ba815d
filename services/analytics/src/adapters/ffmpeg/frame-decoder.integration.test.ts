import { readFileSync } from "node:fs";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { AccessUnit } from "@huishi/contracts";
import { type Clock, type HuishiError, ManualClock } from "@huishi/kernel";
import { type DecodedFrame, FrameDecoder } from "./frame-decoder.ts";
import { encodeClip, until } from "./test-support/access-units.ts";

const startMs = 1_700_000_000_000;
let clip: AccessUnit[];
beforeAll(async () => {
  clip = await encodeClip({ startMs, seconds: 2 });
});

const open: FrameDecoder[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((decoder) => decoder.close()));
});

function decode(
  sampleFps: number,
  clock?: Clock,
): {
  decoder: FrameDecoder;
  frames: DecodedFrame[];
  drops: string[];
  faults: HuishiError[];
} {
  const frames: DecodedFrame[] = [];
  const drops: string[] = [];
  const faults: HuishiError[] = [];
  const decoder = new FrameDecoder({
    name: "test",
    sampleFps,
    ...(clock && { clock }),
    onFrame: (frame) => frames.push(frame),
    onDrop: (reason, count) => drops.push(...Array.from({ length: count }, () => reason)),
    onFault: (error) => faults.push(error),
  });
  open.push(decoder);
  return { decoder, frames, drops, faults };
}

const later = (units: readonly AccessUnit[], byMs: number): AccessUnit[] =>
  units.map((unit) => ({ ...unit, capturedAtMs: unit.capturedAtMs + byMs }));

test("every sampled frame carries the exact capture time of its access unit", async () => {
  const { decoder, frames, drops } = decode(5);
  for (const unit of clip) decoder.push(unit);
  await until(() => frames.length === 10, "ten frames of two seconds have come");
  expect(frames.map((frame) => frame.capturedAtMs - startMs)).toEqual([
    0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800,
  ]);
  expect(frames[0]).toMatchObject({ width: 320, height: 180 });
  expect(frames[0]?.data.length).toBe((320 * 180 * 3) / 2);
  expect(drops).toEqual([]);
});

test("a frame comes out without waiting for the next unit", async () => {
  const { decoder, frames } = decode(25);
  for (const [index, unit] of clip.slice(0, 10).entries()) {
    decoder.push(unit);
    await until(() => frames.length === index + 1, `frame ${index} has come`);
  }
});

test("a decoder that is late goes on with the next keyframe, and says what it left out", async () => {
  const clock = new ManualClock(0);
  const { decoder, frames, drops } = decode(25, clock);
  for (const unit of clip.slice(0, 10)) decoder.push(unit);
  clock.advance(3_000);
  await until(() => frames.length === 10, "the late frames have come");
  for (const unit of clip.slice(10)) decoder.push(unit);
  await until(() => frames.length === 10 + 25, "the frames from the next keyframe on have come");
  expect(drops).toEqual(Array<string>(15).fill("decoder_behind"));
});

test("an irregular camera is sampled at the wanted rate on average", async () => {
  const { decoder, frames } = decode(5);
  const jittered = clip.map((unit, index) => ({
    ...unit,
    capturedAtMs: unit.capturedAtMs + ((index * 7) % 30),
  }));
  for (const unit of jittered) decoder.push(unit);
  await until(() => frames.length >= 10, "ten frames have come");
  const captured = new Set(jittered.map((unit) => unit.capturedAtMs));
  expect(frames.every((frame) => captured.has(frame.capturedAtMs))).toBe(true);
});

test("units before the first keyframe and damaged units do not shift the times of later frames", async () => {
  const { decoder, frames } = decode(25);
  const damaged = clip.map((unit, index) => {
    if (index < 28 || index > 32) return unit;
    const data = unit.data.slice();
    for (let at = 20; at < data.length; at += 3) data[at] = (data[at] as number) ^ 0x5a;
    return { ...unit, data };
  });
  for (const unit of damaged.slice(5)) decoder.push(unit);
  const next = later(clip, 2000);
  for (const unit of next) decoder.push(unit);
  await until(() => frames.at(-1)?.capturedAtMs === next.at(-1)?.capturedAtMs, "the last frame has come");
  const captured = new Set([...damaged.slice(25), ...next].map((unit) => unit.capturedAtMs));
  expect(frames.every((frame) => captured.has(frame.capturedAtMs))).toBe(true);
  const times = frames.map((frame) => frame.capturedAtMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("a change of resolution goes on with frames of the new size", async () => {
  const { decoder, frames, faults } = decode(5);
  for (const unit of clip) decoder.push(unit);
  await until(() => frames.length > 0, "a frame of the first size has come");
  const wide = await encodeClip({ size: "1280x720", startMs: startMs + 2000, seconds: 1 });
  for (const unit of wide) decoder.push(unit);
  await until(() => frames.at(-1)?.width === 640, "a frame of the second size has come");
  expect(frames.at(-1)).toMatchObject({ width: 640, height: 360 });
  expect(frames.at(-1)?.data.length).toBe((640 * 360 * 3) / 2);
  expect(faults).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "a decoder that was killed is started again and goes on at the next keyframe",
  async () => {
    const { decoder, frames, drops, faults } = decode(5);
    for (const unit of clip) decoder.push(unit);
    await until(() => frames.length === 10, "the first clip is decoded");
    for (const pid of ffmpegChildren()) process.kill(pid, "SIGKILL");
    await until(() => faults.length > 0, "its death is reported");
    expect(faults[0]).toMatchObject({ code: "DECODER_FAILED" });
    for (let round = 1; frames.length === 10; round++) {
      for (const unit of later(clip, round * 2000)) decoder.push(unit);
      // A busy machine needs seconds to start a decoder: its first units must not be forgotten meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(new Set(drops)).toEqual(new Set(["decoder_restart"]));
    expect(((frames[10]?.capturedAtMs ?? 0) - startMs) % 1000).toBe(0);
  },
);

/** Direct children of this process that run ffmpeg. */
function ffmpegChildren(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
  return children
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "ffmpeg");
}

test("a codec that it does not know is counted as dropped", () => {
  const { decoder, drops } = decode(5);
  decoder.push({ ...(clip[0] as AccessUnit), codec: "h265" });
  expect(drops).toEqual(["unsupported_codec"]);
});

test("a decoder that cannot start is reported with what to do, and tried again", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    const { decoder, faults } = decode(5);
    decoder.push(clip[0] as AccessUnit);
    await until(() => faults.length > 0, "the fault is reported");
    expect(faults[0]).toMatchObject({ code: "DECODER_UNAVAILABLE" });
  } finally {
    if (path !== undefined) process.env["PATH"] = path;
  }
});
