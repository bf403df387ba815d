import { expect, test } from "vitest";
import { decodeDetr } from "./detr.ts";
import { classColumns } from "./rows.ts";

const classes = classColumns(["person", null, "car"]);

function decode(
  queries: readonly { readonly scores: readonly number[]; readonly box?: readonly number[] }[],
  activation: "softmax" | "sigmoid" = "softmax",
) {
  const scores = Float32Array.from(queries.flatMap((query) => query.scores));
  const boxes = Float32Array.from(queries.flatMap(({ box = [0.5, 0.5, 0.5, 0.25] }) => box));
  return decodeDetr({ scores, boxes }, { classes, activation }, 0.3);
}

test("a query's strongest class counts, by its share among all and none", () => {
  // e^2 / (e^2 + 3) = 0.7112
  const found = decode([{ scores: [0, 0, 2, 0] }, { scores: [0, 0, 0, 5] }]);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ objectClass: "car", box: { x: 0.25, y: 0.375, w: 0.5, h: 0.25 } });
  expect(found[0]?.score).toBeCloseTo(0.7112, 4);
});

test("with sigmoids there is no column for nothing", () => {
  const [found] = decode([{ scores: [1, -1, 0] }], "sigmoid");
  expect(found?.objectClass).toBe("person");
  expect(found?.score).toBeCloseTo(0.7311, 4);
});

test("an object of another class is none of ours, even where ours come second", () => {
  expect(decode([{ scores: [2, 3, 0] }], "sigmoid")).toEqual([]);
});

test("boxes are clipped to the input", () => {
  const [found] = decode([{ scores: [5, 0, 0, 0], box: [0, 1, 0.5, 0.5] }]);
  expect(found?.box).toEqual({ x: 0, y: 0.75, w: 0.25, h: 0.25 });
});

test.each([
  ["softmax", { scores: [Number.NaN, 0, 0, 9] }],
  ["softmax", { scores: [0, 0, 0, Number.NaN] }],
  ["sigmoid", { scores: [0, 0, Number.NaN] }],
  ["softmax", { scores: [9, 0, 0, 0], box: [Number.NaN, 0, 0, 0] }],
] as const)("%s of what is not a number is a coded error, not an empty picture", (activation, query) => {
  expect(() => decode([query], activation)).toThrow(
    expect.objectContaining({ code: "DETECTOR_INVALID_OUTPUT" }),
  );
});

test("another number of columns is MODEL_MISMATCH", () => {
  expect(() => decode([{ scores: [1, 1, 1] }])).toThrow(expect.objectContaining({ code: "MODEL_MISMATCH" }));
});
