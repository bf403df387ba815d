/** What bad streams and bad decoders do: a coded fault, a new decoder, and nothing to the camera beside it. */
import { readFileSync } from "node:fs";
import type { AccessUnit } from "@huishi/contracts";
import { type HuishiError, ManualClock } from "@huishi/kernel";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type DecodedFrame, FrameDecoder } from "./frame-decoder.ts";
import { encodeClip, until } from "./test-support/access-units.ts";

const startMs = 1_700_000_000_000;
let clip: AccessUnit[];
let huge: AccessUnit[];
beforeAll(async () => {
  clip = await encodeClip({ startMs, seconds: 2 });
  huge = await encodeClip({
    input: ["-f", "lavfi", "-i", "color=size=16384x8192:rate=1"],
    seconds: 1,
    startMs,
  });
}, 120_000);

const open: FrameDecoder[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((decoder) => decoder.close()));
});

interface Watched {
  readonly decoder: FrameDecoder;
  readonly frames: DecodedFrame[];
  readonly drops: string[];
  readonly faults: HuishiError[];
  /** Of its decoder, where there is one. */
  pid(): number | undefined;
}

function decode(clock?: ManualClock): Watched {
  const [frames, drops, faults]: [DecodedFrame[], string[], HuishiError[]] = [[], [], []];
  const before = new Set(ffmpegChildren());
  const decoder = new FrameDecoder({
    name: "test",
    sampleFps: 5,
    ...(clock && { clock }),
    onFrame: (frame) => frames.push(frame),
    onDrop: (reason, count) => drops.push(...Array.from({ length: count }, () => reason)),
    onFault: (error) => faults.push(error),
  });
  open.push(decoder);
  return { decoder, frames, drops, faults, pid: () => ffmpegChildren().find((pid) => !before.has(pid)) };
}

/** Direct children of this process that run ffmpeg. */
function ffmpegChildren(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
  return children
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "ffmpeg");
}

/** The clip as often as needed, each time two seconds later, until the condition holds. */
async function playUntil(watched: Watched, condition: () => boolean, from = 0): Promise<void> {
  for (let round = from; !condition(); round++) {
    if (round > from + 200) throw new Error("played for too long");
    for (const unit of clip)
      watched.decoder.push({ ...unit, capturedAtMs: unit.capturedAtMs + round * 2_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe.skipIf(process.platform !== "linux")("a decoder", () => {
  it("goes on after bits were turned in mid-stream, in pictures and in headers", async () => {
    const watched = decode();
    await playUntil(watched, () => watched.frames.length >= 5);
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 48271) >>> 0) % 0x7fffffff) / 0x7fffffff;
    for (const unit of clip) {
      const data = unit.data.slice();
      for (let i = 0; i < 1 + data.length / 200; i++)
        data[Math.floor(random() * data.length)]! ^= 1 << (i % 8);
      watched.decoder.push({ ...unit, data, capturedAtMs: unit.capturedAtMs + 1_000_000 });
    }
    const before = watched.frames.length;
    await playUntil(
      watched,
      () => watched.frames.slice(before).some((frame) => frame.capturedAtMs >= startMs + 2_000_000),
      1_000,
    );
    expect(
      watched.faults.every(({ code }) =>
        /^(MEDIA_UNIT_DAMAGED|DECODER_FAILED|STREAM_UNREADABLE|PICTURE_TOO_LARGE)$/.test(code),
      ),
    ).toBe(true);
    const known = new Set(clip.map((unit) => unit.capturedAtMs % 2_000));
    expect(watched.frames.every((frame) => known.has(frame.capturedAtMs % 2_000))).toBe(true);
  }, 60_000);

  it("that hangs is replaced within 15 seconds, also when its queue is full; the one beside it goes on", async () => {
    const clock = new ManualClock(0);
    const [stalled, beside] = [decode(clock), decode(clock)];
    for (const watched of [stalled, beside]) await playUntil(watched, () => watched.frames.length >= 5);
    const pid = ffmpegChildren()[0] as number;
    process.kill(pid, "SIGSTOP");
    // So much at once that nothing more is fed.
    for (let round = 100; !stalled.drops.includes("decoder_behind"); round++)
      for (const unit of clip)
        stalled.decoder.push({ ...unit, capturedAtMs: unit.capturedAtMs + round * 2_000 });
    const before = [stalled.frames.length, beside.frames.length] as const;
    await playUntil(beside, () => beside.frames.length > before[1], 100);
    for (let second = 1; stalled.faults.length === 0 && second < 15; second++) {
      clock.advance(1_000);
      stalled.decoder.push({ ...(clip[0] as AccessUnit), capturedAtMs: startMs + 900_000 + second * 1_000 });
    }
    expect(stalled.faults).toMatchObject([{ code: "DECODER_STALLED" }]);
    expect(clock.nowMs()).toBeLessThanOrEqual(15_000);
    await until(() => !ffmpegChildren().includes(pid), "the one that hangs is gone");
    const again = stalled.frames.length;
    await playUntil(stalled, () => stalled.frames.length > again, 1_000);
    expect(beside.faults).toEqual([]);
  }, 60_000);

  it("refuses pictures of 16384x8192 without decoding one, and takes the next stream of a sane size", async () => {
    const watched = decode();
    for (const unit of huge) watched.decoder.push(unit);
    expect(watched.faults).toMatchObject([{ code: "PICTURE_TOO_LARGE" }]);
    expect(new Set(watched.drops)).toEqual(new Set(["picture_too_large"]));
    expect(watched.pid()).toBeUndefined();
    await playUntil(watched, () => watched.frames.length > 0, 10);
    expect(watched.faults).toHaveLength(1);
  });

  it("stops when a running stream becomes too large, and says so once", async () => {
    const watched = decode();
    await playUntil(watched, () => watched.frames.length > 0);
    for (let i = 0; i < 3; i++) for (const unit of huge) watched.decoder.push(unit);
    await until(() => watched.pid() === undefined, "its decoder is gone");
    expect(watched.faults).toMatchObject([{ code: "PICTURE_TOO_LARGE" }]);
  });

  it("says once that there is no video in a stream, and begins when there is", async () => {
    const watched = decode();
    const sound = Uint8Array.from([0, 0, 0, 1, 0x0c, ...Array.from({ length: 200 }, (_, i) => 1 + (i % 7))]);
    for (let i = 0; i < 20; i++)
      watched.decoder.push({ ...(clip[0] as AccessUnit), data: sound, capturedAtMs: startMs + i * 100 });
    expect(watched.faults).toMatchObject([{ code: "STREAM_UNREADABLE" }]);
    expect(watched.drops).toHaveLength(20);
    expect(new Set(watched.drops)).toEqual(new Set(["stream_unreadable"]));
    await playUntil(watched, () => watched.frames.length > 0, 10);
  });
});
