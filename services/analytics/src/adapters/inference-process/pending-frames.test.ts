import { expect, test } from "vitest";
import { PendingFrames } from "./pending-frames.ts";

test("a camera's oldest frame goes when its newest finds no room", () => {
  const frames = new PendingFrames<string, number>(2);
  expect([1, 2, 3].map((frame) => frames.put("a", frame))).toEqual([false, false, true]);
  expect([frames.take(), frames.take(), frames.take()]).toEqual([
    { key: "a", frame: 2 },
    { key: "a", frame: 3 },
    undefined,
  ]);
});

test("cameras are served in turn, however many frames one of them has", () => {
  const frames = new PendingFrames<string, number>(3);
  for (const frame of [1, 2, 3]) frames.put("fast", frame);
  frames.put("slow", 1);
  frames.put("slower", 1);
  const served = Array.from({ length: 5 }, () => frames.take()?.key);
  expect(served).toEqual(["fast", "slow", "slower", "fast", "fast"]);
});

test("a camera that was closed is not served", () => {
  const frames = new PendingFrames<string, number>(3);
  frames.put("a", 1);
  frames.delete("a");
  expect(frames.take()).toBeUndefined();
});
