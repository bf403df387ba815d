/** What every detector keeps to; onnxruntime and TensorFlow.js run the same tests on the same real pictures. */
import { iou } from "@huishi/kernel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Detector, RgbFrame } from "../application/detector.ts";
import type { Detection, Region } from "../domain/index.ts";
import { asI420, drawnStreet, footageFrame, plain } from "./pictures.ts";
import { REFERENCES } from "./reference.ts";

export interface DetectorUnderTest {
  /** COCO-SSD, with candidates down to a score of 0.3. */
  open(): Promise<Detector>;
  /** A model that gives NaN for a black picture, and only then. */
  openSick(): Promise<Detector>;
  /** How far a score and a box may be from the float32 model's. */
  readonly tolerance: { readonly score: number; readonly iou: number };
}

/** Found by the reference with this score it must be found; without being in the reference it must stay below. */
const SURE = 0.5;
const PRESENT = 0.3;

export const wholeOf = ({ width, height }: RgbFrame): Region => ({
  kind: "whole",
  x: 0,
  y: 0,
  w: width,
  h: height,
});

async function pictureOf(name: string): Promise<RgbFrame | null> {
  const [clip, seconds] = name.split("@") as [string, string | undefined];
  return seconds === undefined ? drawnStreet() : footageFrame(clip, Number(seconds));
}

export function detectorContract(name: string, under: DetectorUnderTest): void {
  describe(`a detector on ${name}`, () => {
    let detector: Detector;
    let street: RgbFrame;
    beforeAll(async () => {
      detector = await under.open();
      street = await drawnStreet();
    });
    afterAll(() => detector?.close());

    test.each(Object.keys(REFERENCES))(
      "finds what is in %s, where it is, and nothing else",
      async (picture) => {
        const frame = await pictureOf(picture);
        if (!frame) return;
        expectAsReference(await detector.detect(frame, [wholeOf(frame)]), picture, under.tolerance);
      },
    );

    test("knows the classes that it can report, and its input", () => {
      expect(detector.classes).toContain("person");
      expect(new Set(detector.classes).size).toBe(detector.classes.length);
      expect(detector.inputSize).toBe(300);
    });

    test("shows no object twice in overlapping regions", async () => {
      const crop: Region = { kind: "crop", x: 20, y: 120, w: 420, h: 300 };
      const found = await detector.detect(street, [wholeOf(street), crop]);
      expect(found.filter(({ objectClass, score }) => objectClass === "bus" && score > SURE)).toHaveLength(1);
    });

    test("an empty picture, no region, one beyond the picture: nothing, and no fault", async () => {
      const outside: Region = { kind: "crop", x: 700, y: 0, w: 100, h: 100 };
      expect(await detector.detect(plain(640, 480, 90), [wholeOf(street)])).toEqual([]);
      expect(await detector.detect(street, [])).toEqual([]);
      expect(await detector.detect(street, [outside, { ...outside, x: 0, w: 0 }])).toEqual([]);
    });

    test.each([
      ["a single pixel", { x: 5, y: 5, w: 1, h: 1 }],
      ["a line", { x: 0, y: 200, w: 640, h: 1 }],
      ["a part over the border", { x: -80, y: 300, w: 500, h: 500 }],
      ["a part between pixels", { x: 12.3, y: 45.6, w: 300.7, h: 301.1 }],
    ])("%s of a picture is a region like another: boxes stay in the picture", async (_, place) => {
      for (const { box, score } of await detector.detect(street, [{ kind: "crop", ...place }])) {
        expect(Math.min(box.x, box.y, box.w, box.h)).toBeGreaterThanOrEqual(0);
        expect(Math.max(box.x + box.w, box.y + box.h)).toBeLessThanOrEqual(1.000001);
        expect(score).toBeGreaterThanOrEqual(PRESENT);
      }
    });

    test("calls at the same time get their own pictures' objects", async () => {
      const empty = plain(640, 480, 200);
      const frames = [street, empty, street, empty, street];
      const found = await Promise.all(frames.map((frame) => detector.detect(frame, [wholeOf(frame)])));
      const alone = await detector.detect(street, [wholeOf(street)]);
      expect(found).toEqual([alone, [], alone, [], alone]);
    });

    test("finds the same in a picture as decoders give it (I420)", async () => {
      const found = await detector.detect(asI420(street), [wholeOf(street)]);
      const alone = await detector.detect(street, [wholeOf(street)]);
      expect(found.map(({ objectClass }) => objectClass)).toEqual(
        alone.map(({ objectClass }) => objectClass),
      );
      found.forEach(({ box }, at) => expect(iou(box, alone[at]?.box ?? box)).toBeGreaterThan(0.85));
    });

    test("does not change the picture", async () => {
      const before = Uint8Array.from(street.data);
      await detector.detect(street, [wholeOf(street)]);
      expect(Buffer.compare(before, street.data)).toBe(0);
    });

    test("refuses what is not a number with DETECTOR_INVALID_OUTPUT, and goes on with the next picture", async () => {
      const sick = await under.openSick();
      const [black, white] = [plain(96, 96, 0), plain(96, 96, 255)];
      await expect(sick.detect(black, [wholeOf(black)])).rejects.toMatchObject({
        code: "DETECTOR_INVALID_OUTPUT",
      });
      expect(await sick.detect(white, [wholeOf(white)])).toEqual([]);
      await sick.close();
    });

    test("closing lets the inference in flight finish and refuses later ones", async () => {
      const own = await under.open();
      const inFlight = own.detect(street, [wholeOf(street)]);
      await own.close();
      await own.close();
      expect((await inFlight).length).toBeGreaterThan(0);
      await expect(own.detect(street, [])).rejects.toMatchObject({ code: "DETECTOR_CLOSED" });
    });
  });
}

function expectAsReference(
  found: readonly Detection[],
  picture: string,
  tolerance: DetectorUnderTest["tolerance"],
): void {
  const reference = (REFERENCES[picture] ?? []).map(([objectClass, score, x, y, w, h]) => ({
    objectClass,
    score,
    box: { x: x / 1_000, y: y / 1_000, w: w / 1_000, h: h / 1_000 },
  }));
  const partner = (object: Detection, others: readonly Detection[]): Detection | undefined =>
    others
      .filter((other) => other.objectClass === object.objectClass)
      .sort((a, b) => iou(b.box, object.box) - iou(a.box, object.box))[0];
  expect(reference.some(({ score }) => score >= SURE)).toBe(true);
  for (const object of reference.filter(({ score }) => score >= SURE)) {
    const same = partner(object, found);
    const label = `${object.objectClass} ${object.score}`;
    expect(same, label).toBeDefined();
    expect(iou(object.box, same?.box ?? object.box), label).toBeGreaterThan(tolerance.iou);
    expect(Math.abs((same?.score ?? 0) - object.score), label).toBeLessThan(tolerance.score);
  }
  for (const object of found.filter(({ score }) => score >= SURE)) {
    const known = partner(object, reference);
    expect(
      known && iou(known.box, object.box) > SURE,
      `${object.objectClass} ${object.score} is not there`,
    ).toBe(true);
  }
}
