import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkLengthHours } from "./chunk-length.ts";

const GIB = 2 ** 30;
const measure = (gibPerDay: number, currentHours: number) => ({
  bytes: gibPerDay * GIB,
  hours: 24,
  targetBytes: GIB,
  currentHours,
});

test.each([
  ["a trickle takes weeks", 0.05, 24, 168],
  ["a gigabyte a day takes days", 1, 24, 24],
  ["ten a day take two hours", 10, 24, 2],
  ["a flood takes hours", 200, 24, 1],
  ["a little more than fits makes it shorter", 1.1, 24, 12],
])("%s", (_name, gibPerDay, current, expected) => {
  expect(chunkLengthHours(measure(gibPerDay, current))).toBe(expected);
});

test("nothing measured changes nothing", () => {
  expect(chunkLengthHours({ bytes: 0, hours: 24, targetBytes: GIB, currentHours: 24 })).toBe(24);
  expect(chunkLengthHours({ bytes: 5, hours: 0, targetBytes: GIB, currentHours: 24 })).toBe(24);
});

test("a length that was chosen is chosen again: nothing swings", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 1000, noNaN: true }),
      fc.constantFrom(1, 6, 24, 168),
      (rate, start) => {
        const chosen = chunkLengthHours(measure(rate, start));
        expect(chunkLengthHours(measure(rate, chosen))).toBe(chosen);
      },
    ),
  );
});
