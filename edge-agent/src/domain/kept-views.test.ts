import { expect, test } from "vitest";
import { fittingView, viewSlot } from "./kept-views.ts";

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 5, 10, 12);
const kept = (...hoursAgo: number[]) =>
  hoursAgo.map((hours) => ({ slot: viewSlot(NOON - hours * HOUR), savedAtMs: NOON - hours * HOUR }));
const hoursOf = (...hoursAgo: number[]): number | null => {
  const found = fittingView(kept(...hoursAgo), NOON);
  return found && (NOON - found.savedAtMs) / HOUR;
};

test("after a short restart the last view holds, whatever the slot", () => {
  expect(hoursOf(0.4, 24)).toBe(0.4);
  expect(viewSlot(NOON - 0.4 * HOUR)).not.toBe(viewSlot(NOON));
});

test("after a longer one the view of this time of day, not that of the night", () => {
  expect(hoursOf(8, 23, 30)).toBe(23);
  expect(hoursOf(8)).toBeNull();
});

test("what is days old, or of the future, is none", () => {
  expect(hoursOf(71)).toBe(71);
  expect(hoursOf(95)).toBeNull();
  expect(hoursOf(-1)).toBeNull();
});

test("slots go round the day", () => {
  expect([0, 2.9, 3, 23.9].map((hours) => viewSlot(Date.UTC(2026, 0, 1) + hours * HOUR))).toEqual([
    0, 0, 1, 7,
  ]);
});
