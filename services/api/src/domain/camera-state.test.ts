import { expect, test } from "vitest";
import { type EdgeWord, seenState } from "./camera-state.ts";

const NOW = 10_000_000;
const online: EdgeWord = { condition: "online", sinceMs: 1_000, faults: null };
const frozen = { fault: "frozen" as const, sinceMs: 5_000 };
const black = { fault: "black" as const, sinceMs: 6_000 };

test("without a word of the centre the edge's stands", () => {
  expect(seenState(online, { faults: null, atMs: null }, NOW)).toEqual(online);
});

test("where the edge does not look at pictures, what the centre finds makes it degraded since then", () => {
  expect(seenState(online, { faults: [frozen, black], atMs: NOW - 1_000 }, NOW)).toEqual({
    condition: "degraded",
    sinceMs: 5_000,
    faults: [frozen, black],
  });
  expect(seenState(online, { faults: [], atMs: NOW - 1_000 }, NOW)).toEqual({ ...online, faults: [] });
});

test("of one fault the edge's word counts; what only the centre sees is added", () => {
  const edge: EdgeWord = {
    condition: "degraded",
    sinceMs: 2_000,
    faults: [{ fault: "frozen", sinceMs: 2_000 }],
  };
  expect(seenState(edge, { faults: [frozen, black], atMs: NOW }, NOW)).toEqual({
    condition: "degraded",
    sinceMs: 2_000,
    faults: [{ fault: "frozen", sinceMs: 2_000 }, black],
  });
});

test.each(["offline", "no_frames", "auth_failed", "unreachable"] as const)(
  "a camera that is %s is that, whatever its last pictures were",
  (condition) => {
    const edge: EdgeWord = { condition, sinceMs: 1_000, faults: null };
    expect(seenState(edge, { faults: [frozen], atMs: NOW }, NOW)).toEqual(edge);
  },
);

test("a fault that was not said again for half an hour was said by a process that died", () => {
  expect(seenState(online, { faults: [frozen], atMs: NOW - 31 * 60_000 }, NOW)).toEqual(online);
});
