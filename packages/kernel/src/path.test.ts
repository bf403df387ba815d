import fc from "fast-check";
import { expect, test } from "vitest";
import { isInsidePolygon } from "./geometry.ts";
import { headingDeg, type PathPoint, visitsOf } from "./path.ts";

const SQUARE = [
  { x: 0.25, y: 0.25 },
  { x: 0.75, y: 0.25 },
  { x: 0.75, y: 0.75 },
  { x: 0.25, y: 0.75 },
];
const path = (...points: [x: number, y: number][]): PathPoint[] =>
  points.map(([x, y], index) => ({ atMs: index * 100, x, y }));

test.each([
  ["up", [0.5, 0.9], [0.5, 0.1], 0],
  ["right", [0.1, 0.5], [0.9, 0.5], 90],
  ["down", [0.5, 0.1], [0.5, 0.9], 180],
  ["left", [0.9, 0.5], [0.1, 0.5], 270],
  ["nowhere", [0.5, 0.5], [0.51, 0.51], null],
] as const)("a track that goes %s has that heading", (_name, from, to, expected) => {
  expect(headingDeg(path([...from], [0.3, 0.3], [...to]))).toBe(expected);
});

test("a path through a zone, out and in again, is two visits", () => {
  expect(visitsOf(path([0.1, 0.5], [0.3, 0.5], [0.5, 0.5], [0.9, 0.5], [0.6, 0.5]), SQUARE)).toEqual([
    { enteredAtMs: 100, leftAtMs: 300 },
    { enteredAtMs: 400, leftAtMs: 400 },
  ]);
  expect(visitsOf([], SQUARE)).toEqual([]);
});

test("every point inside lies in exactly one visit, and visits do not overlap", () => {
  const point = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(point, { maxLength: 64 }), (points) => {
      const walked = path(...points);
      const visits = visitsOf(walked, SQUARE);
      for (const one of walked) {
        const holding = visits.filter((v) => v.enteredAtMs <= one.atMs && one.atMs <= v.leftAtMs);
        if (isInsidePolygon(one, SQUARE)) expect(holding).toHaveLength(1);
      }
      expect(visits).toEqual(visits.toSorted((a, b) => a.enteredAtMs - b.enteredAtMs));
    }),
  );
});
