import { beforeEach, describe, expect, it } from "vitest";
import { CameraScene, type SceneUpdate } from "./camera-scene.ts";
import type { AnalysedFrame } from "./ports.ts";
import { frame, plan, rule, track, zone } from "./test-support/tracks.ts";
import { TrackIds } from "./track-ids.ts";

const FIRST_ID = 3_000_001;
let ids: TrackIds;

beforeEach(async () => {
  ids = new TrackIds({ takeBlock: () => Promise.resolve(FIRST_ID) });
  await ids.prepare();
});

/** Frames at 5 a second from `fromMs` to `toMs`. */
function play(
  scene: CameraScene,
  fromMs: number,
  toMs: number,
  see: (capturedAtMs: number) => Partial<AnalysedFrame>,
): SceneUpdate[] {
  const updates: SceneUpdate[] = [];
  for (let t = fromMs; t <= toMs; t += 200) updates.push(scene.interpret(frame(t, see(t))));
  return updates;
}

describe("CameraScene", () => {
  it("gives tracks ids that are never reused, also after the tracker began anew", () => {
    const scene = new CameraScene(plan(), ids);
    const before = scene.interpret(frame(0, { tracks: [track(1), track(2)] }));
    const after = scene.interpret(frame(200, { session: 2, tracks: [track(1)] }));
    expect(before.scene.tracks.map(({ id }) => id)).toEqual(["3000001", "3000002"]);
    expect(after.scene.tracks.map(({ id }) => id)).toEqual(["3000003"]);
    expect(after.tracks.map(({ id }) => id)).toEqual([3_000_001, 3_000_002]);
  });

  it("stores what was seen in the frame, shows what is confirmed, believes nothing tentative", () => {
    const scene = new CameraScene(plan(), ids);
    const update = scene.interpret(
      frame(0, {
        tracks: [
          track(1),
          track(2, { state: "tentative" }),
          track(3, { state: "lost", observed: false }),
          track(4, { observed: false }),
        ],
      }),
    );
    expect(update.detections).toEqual([
      {
        capturedAtMs: 0,
        cameraNo: 7,
        trackId: FIRST_ID,
        classCode: 1,
        score: 9_000,
        x: 4_000,
        y: 3_000,
        w: 1_000,
        h: 2_000,
      },
    ]);
    expect(update.scene.tracks.map(({ id }) => id)).toEqual(["3000001", "3000003"]);
  });

  it("raises one alarm with the boxes of the deciding frame, the deciding one first", () => {
    const scene = new CameraScene(plan(), ids);
    const outside = track(1, { box: { x: 0, y: 0, w: 0.05, h: 0.1 } });
    const updates = play(scene, 0, 3_000, () => ({ tracks: [outside, track(2)] }));
    const alarms = updates.flatMap((update) => update.alarms ?? []);
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toMatchObject({
      cameraId: "cam-1",
      alarms: [
        {
          isNew: true,
          occurrences: 1,
          objectClass: "person",
          sourceEvent: `rule/rule-1/${FIRST_ID + 1}/${alarms[0]?.alarms[0]?.startedAtMs}`,
          boxes: [
            { trackId: String(FIRST_ID + 1), deciding: true },
            { trackId: String(FIRST_ID), deciding: false },
          ],
        },
      ],
    });
  });

  it("goes on counting persistence while another rule is edited", () => {
    const scene = new CameraScene(plan(), ids);
    const first = play(scene, 0, 600, () => ({ tracks: [track(1)] }));
    scene.replace(plan({ rules: [rule(), rule({ id: "rule-2", persistenceMs: 60_000 })] }));
    const then = play(scene, 800, 1_400, () => ({ tracks: [track(1)] }));
    expect(first.some((update) => update.alarms)).toBe(false);
    expect(then.some((update) => update.alarms)).toBe(true);
  });

  it("says nothing for a disabled rule", () => {
    const scene = new CameraScene(plan({ rules: [rule({ enabled: false })] }), ids);
    const updates = play(scene, 0, 5_000, () => ({ tracks: [track(1)] }));
    expect(updates.some((update) => update.alarms)).toBe(false);
  });

  it("counts crossings by direction, each with a row, and shows a new line's zero", () => {
    const line = zone({
      kind: "line",
      points: [
        { x: 0.5, y: 1 },
        { x: 0.5, y: 0 },
      ],
    });
    const counting = rule({ kind: "line_crossing", persistenceMs: 0, direction: "both" });
    const scene = new CameraScene(plan({ zones: [line], rules: [counting] }), ids);
    const updates = play(scene, 0, 4_000, (t) => ({
      tracks: [track(1, { box: { x: 0.1 + t / 6_000, y: 0.4, w: 0.1, h: 0.2 } })],
    }));
    expect(updates[0]?.scene.lineCounts).toEqual({ "rule-1": { leftToRight: 0, rightToLeft: 0 } });
    expect(updates.at(-1)?.scene.lineCounts).toEqual({ "rule-1": { leftToRight: 1, rightToLeft: 0 } });
    const crossings = updates.flatMap((update) => update.crossings);
    expect(crossings).toMatchObject([
      { ruleId: "rule-1", cameraNo: 7, trackId: FIRST_ID, leftToRight: true },
    ]);
  });

  it("writes the row of a track when it ends, and those that live when the analysis stops", () => {
    const scene = new CameraScene(plan(), ids);
    scene.interpret(frame(0, { tracks: [track(1), track(2)] }));
    const update = scene.interpret(frame(200, { tracks: [track(2)], ended: [track(1)] }));
    expect(update.tracks.map(({ id }) => id)).toEqual([FIRST_ID]);
    expect(scene.finish().tracks.map(({ id }) => id)).toEqual([FIRST_ID + 1]);
  });
});
