import { describe, expect, it } from "vitest";
import { FrameTimeline, type Span } from "./frame-timeline.ts";

const SEEN = [{ trackId: 1, objectClass: "person", score: 1, box: { x: 0, y: 0, w: 0.1, h: 0.1 } }] as const;

function timesOf(stored: readonly number[], spans: readonly Span[], range = { fromMs: 0, toMs: 200_000 }) {
  const timeline = new FrameTimeline({
    range,
    intervalMs: 1_000,
    spans: spans.map((span) => ({ intervalMs: null, ...span })),
  });
  const times: number[] = [];
  for (const capturedAtMs of stored)
    for (const frame of timeline.until({ capturedAtMs, sightings: SEEN })) times.push(frame.capturedAtMs);
  for (const frame of timeline.rest()) times.push(frame.capturedAtMs);
  return { times, coveredMs: timeline.coveredMs, looked: timeline.looked };
}

describe("the frames between stored ones", () => {
  it("are put back where pictures were analysed", () => {
    const { times, coveredMs } = timesOf([2_000, 5_000], [{ fromMs: 0, toMs: 7_000 }]);
    expect(times).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000]);
    expect(coveredMs).toBe(8_000);
  });

  it("are not invented for a time in which nobody looked", () => {
    const spans = [
      { fromMs: 0, toMs: 2_000 },
      { fromMs: 100_000, toMs: 101_000 },
    ];
    const { times, coveredMs } = timesOf([1_000, 101_000], spans);
    expect(times).toEqual([0, 1_000, 2_000, 100_000, 101_000]);
    expect(coveredMs).toBeLessThan(8_000);
  });

  it("bridge a short pause where no span is known, not a long one", () => {
    const { times } = timesOf([1_000, 4_000, 100_000], []);
    expect(times).toEqual([1_000, 2_000, 3_000, 4_000, 100_000]);
  });

  it("keep the uneven times of the stored frames", () => {
    expect(timesOf([400, 1_350, 2_900], [{ fromMs: 400, toMs: 2_900 }]).times).toEqual([
      400, 1_350, 2_350, 2_900,
    ]);
  });

  it("begin with the first span, however late", () => {
    expect(timesOf([], [{ fromMs: 150_000, toMs: 152_000 }]).times).toEqual([150_000, 151_000, 152_000]);
  });

  it("come as rarely as pictures were analysed then", () => {
    const spans = [{ fromMs: 0, toMs: 8_000, intervalMs: 4_000 }];
    expect(timesOf([4_000, 8_000], spans).times).toEqual([0, 4_000, 8_000]);
  });

  it("are told in stretches", () => {
    const spans = [
      { fromMs: 0, toMs: 2_000 },
      { fromMs: 100_000, toMs: 101_000 },
    ];
    expect(timesOf([1_000], spans).looked).toEqual(spans);
  });
});
