import { describe, expect, it } from "vitest";
import type { Detection } from "./detection.ts";
import { mergeRegionDetections } from "./merge-detections.ts";
import type { Region } from "./regions.ts";

const FRAME = { width: 600, height: 600 };
const WHOLE: Region = { kind: "whole", x: 0, y: 0, w: 600, h: 600 };
const CROP: Region = { kind: "crop", x: 300, y: 0, w: 300, h: 300 };

const person = (x: number, y: number, w: number, h: number, score = 0.8): Detection => ({
  objectClass: "person",
  score,
  box: { x, y, w, h },
});

describe("mergeRegionDetections", () => {
  it("brings a crop's boxes into the picture's coordinates", () => {
    const merged = mergeRegionDetections([{ region: CROP, detections: [person(0.5, 0.5, 0.2, 0.4)] }], FRAME);
    expect(merged).toEqual([person(0.75, 0.25, 0.1, 0.2)]);
  });

  it("keeps the better one of the same object seen in two regions", () => {
    const merged = mergeRegionDetections(
      [
        { region: WHOLE, detections: [person(0.75, 0.25, 0.1, 0.2, 0.5)] },
        { region: CROP, detections: [person(0.51, 0.5, 0.2, 0.4, 0.9)] },
      ],
      FRAME,
    );
    expect(merged.map(({ score }) => score)).toEqual([0.9]);
  });

  it("drops what an inner edge cuts, but not what the picture's own edge cuts", () => {
    const cutInside = person(0, 0.5, 0.1, 0.4);
    const cutByPicture = person(0.9, 0.5, 0.1, 0.4);
    expect(
      mergeRegionDetections([{ region: CROP, detections: [cutInside, cutByPicture] }], FRAME),
    ).toHaveLength(1);
  });

  it("keeps two people who stand close, and a person with a bicycle", () => {
    const bicycle: Detection = {
      objectClass: "bicycle",
      score: 0.7,
      box: { x: 0.3, y: 0.4, w: 0.1, h: 0.2 },
    };
    const detections = [person(0.3, 0.3, 0.1, 0.3), person(0.36, 0.3, 0.1, 0.3), bicycle];
    expect(mergeRegionDetections([{ region: WHOLE, detections }], FRAME)).toHaveLength(3);
  });

  it("takes car and truck on the same spot for one object", () => {
    const car: Detection = { objectClass: "car", score: 0.6, box: { x: 0.3, y: 0.4, w: 0.2, h: 0.2 } };
    const merged = mergeRegionDetections(
      [{ region: WHOLE, detections: [car, { ...car, objectClass: "truck", score: 0.7 }] }],
      FRAME,
    );
    expect(merged.map(({ objectClass }) => objectClass)).toEqual(["truck"]);
  });
});
