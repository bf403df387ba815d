import { expect, test } from "vitest";
import { decodeNanodet, nanodetLevels, type NanodetLayout } from "./nanodet.ts";
import { classColumns } from "./rows.ts";

const REG_MAX = 3;
const BINS = REG_MAX + 1;
const layout: NanodetLayout = {
  inputSize: 64,
  strides: [32],
  classes: classColumns(["person", "car"]),
  regMax: REG_MAX,
  cellCentre: 0.5,
  scoresAre: "probabilities",
};
/** Bins whose softmax has its whole weight on one of them. */
const exactly = (bin: number): number[] => Array.from({ length: BINS }, (_, at) => (at === bin ? 50 : 0));
/** Half of the weight on one bin, half on the next: a distance between them. */
const between = (bin: number): number[] =>
  Array.from({ length: BINS }, (_, at) => (at === bin || at === bin + 1 ? 50 : 0));
const nowhere = Array.from({ length: 4 * BINS }, () => 0);
const row = (scores: readonly number[], ...edges: readonly number[][]): number[] => [
  ...scores,
  ...(edges.length > 0 ? edges.flat() : nowhere),
];

function decode(rows: readonly (readonly number[])[], changes: Partial<NanodetLayout> = {}) {
  const whole = { ...layout, ...changes };
  return decodeNanodet(nanodetLevels(Float32Array.from(rows.flat()), whole), whole, 0.3);
}
const empty = row([0, 0]);

test("each side's distance is the mean of its distribution, from the middle of the cell", () => {
  // Cell (1, 0): its middle is (48, 16); left 1 cell, top 0, right 0.5, bottom 1.5 cells of 32 pixels.
  const edges = [exactly(1), exactly(0), between(0), between(1)];
  const [found, ...others] = decode([empty, row([0.1, 0.6], ...edges), empty, empty]);
  expect(others).toEqual([]);
  expect(found?.objectClass).toBe("car");
  expect(found?.box.x).toBeCloseTo(16 / 64);
  expect(found?.box.y).toBeCloseTo(16 / 64);
  expect(found?.box.w).toBeCloseTo(48 / 64);
  expect(found?.box.h).toBeCloseTo(48 / 64);
});

test("without a distance the box is empty; with a cell's corner as its place it begins there", () => {
  const edges = [exactly(0), exactly(0), exactly(1), exactly(1)];
  const [found] = decode([empty, empty, empty, row([0.9, 0], ...edges)], { cellCentre: 0 });
  expect(found?.box).toMatchObject({ x: 0.5, y: 0.5 });
  expect(found?.box.w).toBeCloseTo(0.5);
});

test("levels that are tables of their own are the same", () => {
  const scores = Float32Array.of(0, 0, 0.7, 0, 0, 0, 0, 0);
  const edges = [exactly(0), exactly(0), exactly(1), exactly(1)].flat();
  const distances = Float32Array.from([...nowhere, ...edges, ...nowhere, ...nowhere]);
  const part = { firstColumn: 0, firstRow: 0 };
  const level = {
    scores: { ...part, data: scores, rowLength: 2 },
    distances: { ...part, data: distances, rowLength: 4 * BINS },
  };
  const [found] = decodeNanodet([level], layout, 0.3);
  expect(found?.objectClass).toBe("person");
  expect(found?.box).toMatchObject({ x: 0.75, y: 0.25 });
});

test("an input that its stride does not divide has one cell more", () => {
  const rows = Array.from({ length: 9 }, () => empty);
  rows[8] = row([0.8, 0]);
  expect(decode(rows, { inputSize: 70 })).toHaveLength(1);
});

test.each([
  ["a score", row([Number.NaN, 0])],
  ["a distance", row([0.9, 0], [Number.NaN, 0, 0, 0], exactly(0), exactly(0), exactly(0))],
])("%s that is not a number is a coded error, not an empty picture", (_, bad) => {
  expect(() => decode([bad, empty, empty, empty])).toThrow(
    expect.objectContaining({ code: "DETECTOR_INVALID_OUTPUT" }),
  );
});

test("another number of rows, bins or levels is MODEL_MISMATCH", () => {
  const mismatch = expect.objectContaining({ code: "MODEL_MISMATCH" });
  expect(() => decode([empty])).toThrow(mismatch);
  expect(() => decode([empty, empty, empty, empty], { regMax: 7 })).toThrow(mismatch);
  expect(() => decodeNanodet([], layout, 0.3)).toThrow(mismatch);
});
