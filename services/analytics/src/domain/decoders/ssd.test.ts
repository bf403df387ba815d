import { expect, test } from "vitest";
import { classColumns } from "./rows.ts";
import { decodeSsd } from "./ssd.ts";

const classes = classColumns(["person", "car"]);
/** Two anchors: the middle of the picture, half of its size; the top left corner, a fifth. */
const anchors = Float32Array.of(0.5, 0.5, 0.5, 0.5, 0, 0, 0.2, 0.2);
const nothing = -20;

function decode(boxes: readonly number[], scores: readonly number[], columns = classes) {
  return decodeSsd(
    { boxes: Float32Array.from(boxes), scores: Float32Array.from(scores) },
    { anchors, classes: columns },
    0.3,
  );
}

test("an encoding of zeros is the anchor itself", () => {
  const found = decode([0, 0, 0, 0, 0, 0, 0, 0], [0, nothing, nothing, nothing]);
  expect(found).toEqual([{ objectClass: "person", score: 0.5, box: { x: 0.25, y: 0.25, w: 0.5, h: 0.5 } }]);
});

test("centre and size are moved in units of the anchor", () => {
  const [found] = decode([2, -2, 5 * Math.log(0.5), 0, 0, 0, 0, 0], [nothing, 2, nothing, nothing]);
  expect(found?.objectClass).toBe("car");
  expect(found?.box.x).toBeCloseTo(0.15);
  expect(found?.box.y).toBeCloseTo(0.475);
  expect(found?.box.w).toBeCloseTo(0.5);
  expect(found?.box.h).toBeCloseTo(0.25);
});

test("a box is clipped to what the model was shown", () => {
  const [found] = decode([0, 0, 0, 0, 0, 0, 0, 0], [nothing, nothing, 3, nothing]);
  expect(found?.box.x).toBe(0);
  expect(found?.box.w).toBeCloseTo(0.1);
});

test("columns that are none of our classes are not reported", () => {
  const found = decode([0, 0, 0, 0, 0, 0, 0, 0], [3, nothing, nothing, 2], classColumns([null, "car"]));
  expect(found.map(({ objectClass }) => objectClass)).toEqual(["car"]);
});

test.each([
  ["a score that is NaN", [0, 0, 0, 0, 0, 0, 0, 0], [Number.NaN, nothing, nothing, nothing]],
  ["an infinite score", [0, 0, 0, 0, 0, 0, 0, 0], [Number.POSITIVE_INFINITY, nothing, nothing, nothing]],
  ["a box that is NaN", [Number.NaN, 0, 0, 0, 0, 0, 0, 0], [3, nothing, nothing, nothing]],
])("%s is a coded error, not an empty picture", (_, boxes, scores) => {
  expect(() => decode(boxes, scores)).toThrow(expect.objectContaining({ code: "DETECTOR_INVALID_OUTPUT" }));
});

test("too few rows are MODEL_MISMATCH", () => {
  expect(() => decode([0, 0, 0, 0], [nothing, nothing])).toThrow(
    expect.objectContaining({ code: "MODEL_MISMATCH" }),
  );
});
