import { expect, test } from "vitest";
import { classColumns } from "./rows.ts";
import { decodeYolox, type YoloxLayout } from "./yolox.ts";

/** One grid of 2x2 cells of 32 pixels. */
const layout: YoloxLayout = {
  inputSize: 64,
  strides: [32],
  classes: classColumns(["person", null, "car"]),
  scoresAre: "probabilities",
  boxesAre: "cells",
};
const empty = [0, 0, 0, 0, 0, 0, 0, 0];

function decode(rows: readonly (readonly number[])[], changes: Partial<YoloxLayout> = {}) {
  return decodeYolox(Float32Array.from(rows.flat()), { ...layout, ...changes }, 0.3);
}

test("a cell's offset and exponent give a box in the input; the score is objectness times class", () => {
  // Cell (1, 1): centre ((0.5 + 1) * 32, (0 + 1) * 32) = (48, 32), size (32, e^ln(1.5) * 32 = 48).
  const [found, ...others] = decode([empty, empty, empty, [0.5, 0, 0, Math.log(1.5), 0.8, 0, 0, 0.5]]);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ objectClass: "car", box: { x: 0.5, w: 0.5 } });
  expect(found?.box.y).toBeCloseTo(0.125);
  expect(found?.box.h).toBeCloseTo(0.75);
  expect(found?.score).toBeCloseTo(0.4);
});

test("boxes in pixels and logits are taken as such", () => {
  const [found] = decode([[32, 32, 32, 64, 20, 0, -20, -20], empty, empty, empty], {
    boxesAre: "pixels",
    scoresAre: "logits",
  });
  expect(found).toMatchObject({ objectClass: "person", box: { x: 0.25, y: 0, w: 0.5, h: 1 } });
  expect(found?.score).toBeCloseTo(0.5);
});

test("grids follow one another: the rows of the coarser one come after those of the finer", () => {
  const rows = Array.from({ length: 16 + 4 }, () => empty);
  rows[16 + 2] = [0, 0, 0, 0, 1, 1, 0, 0];
  const [found] = decode(rows, { strides: [16, 32] });
  expect(found?.box).toEqual({ x: 0, y: 0.25, w: 0.25, h: 0.5 });
});

test("columns that are none of our classes are not reported", () => {
  expect(decode([[0, 0, 0, 0, 1, 0, 1, 0], empty, empty, empty])).toEqual([]);
});

test.each([
  ["objectness", [0, 0, 0, 0, Number.NaN, 1, 0, 0]],
  ["a class score", [0, 0, 0, 0, 1, Number.NaN, 0, 0]],
  ["a box", [0, 0, Number.POSITIVE_INFINITY, 0, 1, 1, 0, 0]],
])("%s that is not a number is a coded error, not an empty picture", (_, row) => {
  expect(() => decode([row, empty, empty, empty])).toThrow(
    expect.objectContaining({ code: "DETECTOR_INVALID_OUTPUT" }),
  );
});

test("logits that are taken for probabilities are told, with what to write", () => {
  expect(() => decode([[0, 0, 0, 0, 4, 4, 0, 0], empty, empty, empty])).toThrow(/"scoresAre": "logits"/);
});

test("another number of rows or classes is MODEL_MISMATCH", () => {
  expect(() => decode([empty])).toThrow(expect.objectContaining({ code: "MODEL_MISMATCH" }));
});
