import type { SeriesPoint } from "@huishi/contracts";
import { expect, test } from "vitest";
import { sparkline } from "./sparkline.ts";

const point = (atMs: number, mean: number, max = mean): SeriesPoint => ({ atMs, mean, min: mean, max, n: 1 });
const box = { width: 100, height: 58 };

test("the limit is in the picture, also when no value reaches it", () => {
  const line = sparkline([point(0, 0), point(50, 5), point(100, 0)], 10, box);
  expect(line).toEqual({ points: "0,54 50,29 100,54", limitY: 4 });
});

test("a rise above the limit does not vanish in the mean of its bucket", () => {
  const line = sparkline([point(0, 0), point(100, 2, 20)], 10, box);
  expect(line?.points).toBe("0,54 100,4");
});

test("one value is no trend", () => {
  expect(sparkline([point(0, 1)], 10, box)).toBeNull();
  expect(sparkline([], 10, box)).toBeNull();
});
