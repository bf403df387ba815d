import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PATH_POINTS, TrackRecorder } from "./track-recorder.ts";
import { track } from "./test-support/tracks.ts";

describe("TrackRecorder", () => {
  it("writes a track when it ends, with its foot points and their times", () => {
    const recorder = new TrackRecorder(7);
    recorder.update([track(1, { firstSeenMs: 1_000 })], [], 1_000);
    recorder.update([track(1, { firstSeenMs: 1_000, box: { x: 0.5, y: 0.3, w: 0.1, h: 0.2 } })], [], 1_200);
    const ended = track(1, { firstSeenMs: 1_000, lastSeenMs: 1_200, observations: 2, state: "lost" });
    expect(recorder.update([], [ended], 3_000)).toEqual([
      {
        id: 1,
        cameraNo: 7,
        classCode: 1,
        firstSeenMs: 1_000,
        lastSeenMs: 1_200,
        observations: 2,
        ended: true,
        score: 8_000,
        path: [
          [0, 4_500, 5_000],
          [200, 5_500, 5_000],
        ],
      },
    ]);
  });

  it("writes a living track every minute", () => {
    const recorder = new TrackRecorder(7);
    let writes = 0;
    for (let t = 0; t <= 180_000; t += 200) writes += recorder.update([track(1)], [], t).length;
    expect(writes).toBe(3);
  });

  it("takes no point from a frame in which the track was not seen", () => {
    const recorder = new TrackRecorder(7);
    recorder.update([track(1)], [], 0);
    recorder.update([track(1, { observed: false })], [], 200);
    expect(recorder.finish()[0]?.path).toHaveLength(1);
  });

  it("keeps at most 64 points, in order, from the beginning to near the end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), (frames) => {
        const recorder = new TrackRecorder(7);
        for (let i = 0; i < frames; i++) recorder.update([track(1)], [], i * 200);
        const times = (recorder.finish()[0]?.path ?? []).map(([ms]) => ms);
        expect(times.length).toBeLessThanOrEqual(MAX_PATH_POINTS);
        expect(times[0]).toBe(0);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(times.at(-1)).toBeGreaterThan((frames - 1) * 200 * 0.9 - 200);
      }),
      { numRuns: 50 },
    );
  });
});
