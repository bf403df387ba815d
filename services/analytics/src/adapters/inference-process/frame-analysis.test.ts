import { describe, expect, it } from "vitest";
import type { Detector } from "../../application/detector.ts";
import { FrameAnalysis } from "./frame-analysis.ts";
import type { FeedSettings } from "./messages.ts";

const T0 = 1_700_000_000_000;
const [WIDTH, HEIGHT] = [320, 180];
const WATCH = {
  polygons: [
    [
      { x: 0, y: 0 },
      { x: 1, y: 0 },
      { x: 1, y: 1 },
      { x: 0, y: 1 },
    ],
  ],
  absorbMs: 3_600_000,
};

const blind: Detector = {
  classes: ["person"],
  inputSize: 300,
  detect: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

/** A grey yard, with a dark box in it. */
function frame(t: number, withBox: boolean) {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const isBox = withBox && x >= 150 && x < 180 && y >= 100 && y < 130;
    data.fill(isBox ? 30 : 110 + ((x >> 4) & 1) * 10, i * 3, i * 3 + 3);
  }
  return { data, width: WIDTH, height: HEIGHT, capturedAtMs: T0 + t, decodeMs: 1 };
}

async function play(analysis: FrameAnalysis, fromMs: number, toMs: number, withBox: boolean) {
  let last = null;
  for (let t = fromMs; t < toMs; t += 500) last = await analysis.analyse(frame(t, withBox), 0);
  return last!;
}

describe("FrameAnalysis", () => {
  const settings: FeedSettings = { cameraId: "cam-1", sampleFps: 5 };

  it("looks at no picture for things while no rule wants it", async () => {
    const result = await play(new FrameAnalysis(settings, blind), 0, 2_000, false);
    expect(result.picture).toEqual({ aspectRatio: WIDTH / HEIGHT });
    expect(result.stageMs).not.toHaveProperty("background");
  });

  it("tells what was put down, from the moment a rule wants it, with and without the motion gate", async () => {
    for (const motionGate of [true, false]) {
      const analysis = new FrameAnalysis({ ...settings, motionGate }, blind);
      await play(analysis, 0, 1_000, false);
      analysis.watch(WATCH);
      expect((await play(analysis, 1_000, 15_000, false)).picture?.staticRegions).toEqual([]);
      analysis.watch({ ...WATCH });
      const { picture, stageMs } = await play(analysis, 15_000, 25_000, true);
      expect(picture?.staticRegions).toMatchObject([{ id: 1, kind: "appeared" }]);
      expect(stageMs.background).toBeGreaterThan(0);
      analysis.watch(null);
      expect((await play(analysis, 25_000, 26_000, true)).picture).toEqual({ aspectRatio: WIDTH / HEIGHT });
    }
  });

  it("watches from the first picture on when the feed is opened so", async () => {
    const analysis = new FrameAnalysis({ ...settings, watch: WATCH }, blind);
    await play(analysis, 0, 15_000, true);
    expect((await play(analysis, 15_000, 25_000, false)).picture?.staticRegions).toMatchObject([
      { kind: "vanished" },
    ]);
  });
});
