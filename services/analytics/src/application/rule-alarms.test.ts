import { GroundPlane, metresBetween, positionAt } from "@huishi/kernel";
import { beforeEach, describe, expect, it } from "vitest";
import type { FrameAlarms } from "./alarms.ts";
import { CameraScene } from "./camera-scene.ts";
import type { AnalysedFrame, CameraPlan, SensorWatch } from "./ports.ts";
import { frame, plan, rule, track } from "./test-support/tracks.ts";
import { TrackIds } from "./track-ids.ts";

const ORIGIN = { latitude: 31.23, longitude: 121.47 };
const at = (x: number, y: number) => positionAt(ORIGIN, { x, y });
const groundPlane = new GroundPlane([
  { picture: { x: 0, y: 1 }, position: at(0, 0) },
  { picture: { x: 1, y: 1 }, position: at(100, 0) },
  { picture: { x: 1, y: 0 }, position: at(100, 50) },
  { picture: { x: 0, y: 0 }, position: at(0, 50) },
]);

let ids: TrackIds;
beforeEach(async () => {
  ids = new TrackIds({ takeBlock: () => Promise.resolve(1) });
  await ids.prepare();
});

class Sensors implements SensorWatch {
  readonly watched: (readonly [string, readonly string[]])[] = [];
  watch(cameraId: string, datastreamIds: readonly string[]): void {
    this.watched.push([cameraId, datastreamIds]);
  }
  latest(datastreamId: string) {
    return { datastreamId, value: 0.4, atMs: 1_000 };
  }
}

function alarmsOf(
  fields: Partial<CameraPlan>,
  see: Partial<AnalysedFrame>,
  sensors?: SensorWatch,
): FrameAlarms[] {
  const scene = new CameraScene(plan(fields), ids, sensors);
  const alarms: FrameAlarms[] = [];
  for (let t = 0; t <= 4_000; t += 200) {
    const said = scene.interpret(frame(t, see)).alarms;
    if (said) alarms.push(said);
  }
  return alarms;
}

describe("an alarm of a camera", () => {
  it("lies where the deciding object stands, when the camera knows its ground", () => {
    // Foot point (0.45, 0.5): 45 m east, 25 m north.
    const [said] = alarmsOf({ groundPlane }, { tracks: [track(1)] });
    const position = said?.alarms[0]?.position;
    expect(position && metresBetween(position, at(45, 25))).toBeLessThan(0.01);
    const [bare] = alarmsOf({}, { tracks: [track(1)] });
    expect(bare?.alarms[0]).not.toHaveProperty("position");
  });

  it("says what its sensor measured, against which limit and when", () => {
    const sensor = { datastreamId: "7", comparison: "above", value: 0.3, maxAgeMs: 60_000 } as const;
    const sensors = new Sensors();
    const [said] = alarmsOf({ rules: [rule({ sensor })] }, { tracks: [track(1)] }, sensors);
    expect(sensors.watched).toEqual([["cam-1", ["7"]]]);
    expect(said?.alarms[0]?.sensorReading).toEqual({
      datastreamId: "7",
      comparison: "above",
      value: 0.4,
      limit: 0.3,
      atMs: 1_000,
    });
  });

  it("shows the region of an abandoned object, which is of no class", () => {
    const region = {
      id: 3,
      kind: "appeared",
      box: { x: 0.4, y: 0.4, w: 0.05, h: 0.05 },
      sinceMs: 0,
      score: 0.9,
    } as const;
    const [said] = alarmsOf(
      { rules: [rule({ kind: "abandoned_object" })] },
      { picture: { staticRegions: [region] } },
    );
    expect(said?.alarms).toMatchObject([
      {
        objectClass: null,
        sourceEvent: "rule/rule-1/region-1000000003/0",
        boxes: [
          { trackId: null, objectClass: "abandoned_object", score: 0.9, box: region.box, deciding: true },
        ],
      },
    ]);
  });

  it("comes from no rule that cannot work, and the camera says which that is", () => {
    const scene = new CameraScene(plan({ rules: [rule({ kind: "speed_over", speedKmh: 30 })] }), ids);
    expect(scene.idleRules).toEqual([{ ruleId: "rule-1", hindrance: "needs_ground_plane" }]);
    scene.replace(plan({ rules: [rule({ kind: "speed_over", speedKmh: 30 })], groundPlane }));
    expect(scene.idleRules).toEqual([]);
  });

  it("lets go of its sensors when the camera is not analysed any more", () => {
    const sensor = { datastreamId: "7", comparison: "above", value: 0.3, maxAgeMs: 60_000 } as const;
    const sensors = new Sensors();
    const scene = new CameraScene(
      plan({ rules: [rule({ sensor }), rule({ id: "off", sensor, enabled: false })] }),
      ids,
      sensors,
    );
    scene.close();
    expect(sensors.watched).toEqual([
      ["cam-1", ["7"]],
      ["cam-1", []],
    ]);
  });
});
