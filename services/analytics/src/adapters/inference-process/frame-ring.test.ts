import { expect, test } from "vitest";
import { FrameRing } from "./frame-ring.ts";

const frame = (capturedAtMs: number) => ({
  capturedAtMs,
  decodeMs: 0,
  width: 1,
  height: 1,
  data: new Uint8Array(3),
});

test("frames are found by their exact capture time while they are young enough", () => {
  const ring = new FrameRing({ keptMs: 1000, maxFrames: 10 });
  for (const ms of [0, 500, 1200]) ring.push(frame(ms));
  expect([0, 500, 501, 1200].map((ms) => ring.find(ms)?.capturedAtMs)).toEqual([
    undefined,
    500,
    undefined,
    1200,
  ]);
});

test("a fast camera does not keep more frames than allowed", () => {
  const ring = new FrameRing({ keptMs: 1000, maxFrames: 3 });
  for (let ms = 0; ms < 10; ms++) ring.push(frame(ms));
  expect([6, 7, 8, 9].map((ms) => ring.find(ms) !== undefined)).toEqual([false, true, true, true]);
});

test("frames from before a clock that was set back are let go", () => {
  const ring = new FrameRing({ keptMs: 1000, maxFrames: 10 });
  ring.push(frame(100_000));
  ring.push(frame(1_000));
  expect(ring.find(100_000)).toBeUndefined();
});
