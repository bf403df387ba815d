import { describe, expect, it } from "vitest";
import { FrameTimes } from "./frame-times.ts";
import { latencyAction, targetLagS } from "./latency.ts";

describe("latencyAction", () => {
  const at = (lagS: number, frameDurationMs = 40) =>
    latencyAction({ currentTimeS: 100, bufferedEndS: 100 + lagS, frameDurationMs });

  it("plays on at the live edge", () => expect(at(0.1)).toEqual({ kind: "rate", playbackRate: 1 }));

  it("catches up a little faster the further it is behind", () => {
    expect(at(0.2)).toEqual({ kind: "rate", playbackRate: 1.03 });
    expect(at(0.35)).toEqual({ kind: "rate", playbackRate: 1.05 });
    expect(at(0.9)).toEqual({ kind: "rate", playbackRate: 1.08 });
  });

  it("seeks when more than a second is missing, or when it stands beyond the end", () => {
    expect(at(1.5)).toEqual({ kind: "seek", toS: 101.42 });
    expect(at(-2)).toMatchObject({ kind: "seek" });
  });

  it("gives slow streams a longer cushion, within bounds", () => {
    expect(targetLagS(40)).toBe(0.08);
    expect(targetLagS(100)).toBe(0.2);
    expect(targetLagS(1_000)).toBe(0.4);
    expect(at(0.4, 200)).toEqual({ kind: "rate", playbackRate: 1 });
  });
});

describe("FrameTimes", () => {
  it("finds the capture time of a presented frame", () => {
    const times = new FrameTimes();
    for (let i = 0; i < 2_000; i++) times.add({ mediaTimeS: i * 0.04, capturedAtMs: 5_000 + i * 40 });
    expect(times.capturedAtMs(79.96)).toBe(5_000 + 1_999 * 40);
    expect(times.capturedAtMs(79.2001)).toBe(5_000 + 1_980 * 40);
  });

  it("claims nothing about a frame it does not know", () => {
    const times = new FrameTimes();
    expect(times.capturedAtMs(1)).toBeNull();
    times.add({ mediaTimeS: 1, capturedAtMs: 7 });
    expect(times.capturedAtMs(3)).toBeNull();
    times.clear();
    expect(times.capturedAtMs(1)).toBeNull();
  });
});
