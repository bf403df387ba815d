import type { SceneFrame } from "@huishi/contracts";
import { cross } from "@huishi/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pictureRect, toElement, toPicture } from "./letterbox.ts";
import { lineArrow } from "./line-geometry.ts";
import { SceneTimeline } from "./scene-timeline.ts";

describe("pictureRect", () => {
  it("leaves bars at the sides of a narrow picture and above a wide one", () => {
    expect(pictureRect({ width: 800, height: 300 }, { width: 768, height: 576 })).toEqual({
      left: 200,
      top: 0,
      width: 400,
      height: 300,
    });
    expect(pictureRect({ width: 400, height: 400 }, { width: 1280, height: 720 })).toEqual({
      left: 0,
      top: 87.5,
      width: 400,
      height: 225,
    });
  });

  it("is the whole element before a picture is known", () => {
    expect(pictureRect({ width: 300, height: 200 }, { width: 0, height: 0 })).toEqual({
      left: 0,
      top: 0,
      width: 300,
      height: 200,
    });
  });

  it("leads there and back again", () => {
    const side = fc.integer({ min: 1, max: 5_000 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(side, side, side, side, share, share, (w, h, pw, ph, x, y) => {
        const rect = pictureRect({ width: w, height: h }, { width: pw, height: ph });
        const back = toPicture(toElement({ x, y }, rect), rect);
        expect(back.x).toBeCloseTo(x, 6);
        expect(back.y).toBeCloseTo(y, 6);
      }),
    );
  });

  it("pulls clicks beside the picture to its edge", () => {
    const rect = { left: 100, top: 0, width: 200, height: 100 };
    expect(toPicture({ x: 20, y: 50 }, rect)).toEqual({ x: 0, y: 0.5 });
    expect(toPicture({ x: 900, y: 150 }, rect)).toEqual({ x: 1, y: 1 });
  });
});

describe("lineArrow", () => {
  it("points to the right-hand side of A to B as the picture shows it", () => {
    const [a, b] = [
      { x: 0, y: 100 },
      { x: 200, y: 100 },
    ];
    const arrow = lineArrow(a, b);
    expect(arrow?.middle).toEqual({ x: 100, y: 100 });
    expect(arrow?.right.y).toBe(1);
    const rightOfMiddle = { x: 100 + (arrow?.right.x ?? 0), y: 100 + (arrow?.right.y ?? 0) };
    expect(cross(a, b, rightOfMiddle)).toBeGreaterThan(0);
  });

  it("is nothing for a line without length", () =>
    expect(lineArrow({ x: 5, y: 5 }, { x: 5, y: 5 })).toBeNull());
});

const scene = (capturedAtMs: number, ...tracks: [id: string, x: number][]): SceneFrame => ({
  cameraId: "c",
  capturedAtMs,
  tracks: tracks.map(([id, x]) => ({
    id,
    objectClass: "person",
    score: 0.9,
    box: { x, y: 0.2, w: 0.1, h: 0.3 },
  })),
});
const timelineOf = (...scenes: SceneFrame[]): SceneTimeline => {
  const timeline = new SceneTimeline();
  scenes.forEach((each) => timeline.add(each));
  return timeline;
};
const places = (timeline: SceneTimeline, atMs: number): [string, number][] =>
  timeline.at(atMs).map(({ id, box }) => [id, Math.round(box.x * 1_000) / 1_000]);

describe("SceneTimeline", () => {
  it("shows the scene of the very frame", () => {
    expect(places(timelineOf(scene(1_000, ["a", 0.1]), scene(1_200, ["a", 0.3])), 1_000)).toEqual([
      ["a", 0.1],
    ]);
  });

  it("moves a box between two scenes by capture time, in whatever order they came", () => {
    const timeline = timelineOf(scene(1_200, ["a", 0.3]), scene(1_000, ["a", 0.1]));
    expect(places(timeline, 1_050)).toEqual([["a", 0.15]]);
  });

  it("carries a box on for a moment, then holds, then draws nothing", () => {
    const timeline = timelineOf(scene(1_000, ["a", 0.1]), scene(1_200, ["a", 0.2]));
    expect(places(timeline, 1_300)).toEqual([["a", 0.25]]);
    expect(places(timeline, 1_800)).toEqual([["a", 0.5]]);
    expect(places(timeline, 2_100)).toEqual([["a", 0.5]]);
    expect([1_700, 1_701].map((atMs) => timeline.at(atMs)[0]?.isFaint)).toEqual([false, true]);
    expect(places(timeline, 2_201)).toEqual([]);
  });

  it("shows a track that ends or begins for its half of the way", () => {
    const timeline = timelineOf(scene(1_000, ["old", 0.1]), scene(1_200, ["new", 0.5]));
    expect(places(timeline, 1_080)).toEqual([["old", 0.1]]);
    expect(places(timeline, 1_120)).toEqual([["new", 0.5]]);
  });

  it("draws nothing on frames long before the first scene", () => {
    expect(places(timelineOf(scene(9_000, ["a", 0.1])), 1_000)).toEqual([]);
  });

  it("replaces a scene of the same frame and stays bounded", () => {
    const timeline = timelineOf(scene(1_000, ["a", 0.1]), scene(1_000, ["a", 0.7]));
    expect(places(timeline, 1_000)).toEqual([["a", 0.7]]);
    for (let i = 0; i < 500; i++) timeline.add(scene(2_000 + i, ["a", 0]));
    expect(places(timeline, 1_000)).toEqual([]);
  });
});
