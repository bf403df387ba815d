import { expect, test } from "vitest";
import { LatestFrames } from "./latest-frames.ts";

test("a newer frame takes the place of the waiting one of its camera", () => {
  const frames = new LatestFrames<string, number>();
  expect([frames.put("a", 1), frames.put("b", 1), frames.put("a", 2)]).toEqual([false, false, true]);
  expect([frames.take(), frames.take(), frames.take()]).toEqual([
    { key: "a", frame: 2 },
    { key: "b", frame: 1 },
    undefined,
  ]);
});

test("a camera that was just served waits behind the others", () => {
  const frames = new LatestFrames<string, number>();
  frames.put("fast", 1);
  frames.put("slow", 1);
  expect(frames.take()?.key).toBe("fast");
  frames.put("fast", 2);
  expect(frames.take()?.key).toBe("slow");
});

test("a camera that was closed is not served", () => {
  const frames = new LatestFrames<string, number>();
  frames.put("a", 1);
  frames.delete("a");
  expect(frames.take()).toBeUndefined();
});
