import fc from "fast-check";
import { expect, test } from "vitest";
import { UNIT_CODES, unitCode, unitConverter } from "./units.ts";

test.each([
  [120, "cm", "m", 1.2],
  [12, "in", "cm", 30.48],
  [3, "ft", "m", 0.9144],
  [2, "in/h", "mm/h", 50.8],
  [68, "degF", "Cel", 20],
  [20, "°C", "K", 293.15],
  [0, "K", "degC", -273.15],
  [90, "%", "1", 0.9],
  [0.035, "mg/m3", "µg/m³", 35],
  [1.5, "kW", "W", 1500],
  [30, "mA", "A", 0.03],
  [180, "deg", "rad", 3.14159265359],
  [1, "bar", "kPa", 100],
  [14.5037737730209, "psi", "bar", 1],
  [7, "pH", "[pH]", 7],
  [55, "dBA", "dB(A)", 55],
])("%d %s is %s", (value, from, to, expected) => {
  expect(unitConverter(from, to)(value)).toBeCloseTo(expected, 9);
});

test("what is stored has its UCUM code, whatever the configuration called it", () => {
  expect([unitCode("°C"), unitCode("in"), unitCode("µg/m³"), unitCode("%LEL")]).toEqual([
    "Cel",
    "[in_i]",
    "ug/m3",
    "%LEL",
  ]);
});

test("unknown units and units of another kind are refused by code", () => {
  expect(() => unitConverter("cubit", "m")).toThrow(expect.objectContaining({ code: "UNIT_UNKNOWN" }));
  expect(() => unitConverter("m", "toString")).toThrow(expect.objectContaining({ code: "UNIT_UNKNOWN" }));
  expect(() => unitConverter("cm", "mm/h")).toThrow(expect.objectContaining({ code: "UNIT_MISMATCH" }));
  expect(() => unitConverter("%", "%LEL")).toThrow(expect.objectContaining({ code: "UNIT_MISMATCH" }));
  expect(() => unitConverter("dB", "dB(A)")).toThrow(expect.objectContaining({ code: "UNIT_MISMATCH" }));
});

test("there and back again is the same value, for every pair of units that convert", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...UNIT_CODES),
      fc.constantFrom(...UNIT_CODES),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      (from, to, value) => {
        let there: (value: number) => number;
        try {
          there = unitConverter(from, to);
        } catch {
          return;
        }
        const back = unitConverter(to, from)(there(value));
        const scale = Math.max(1e3, Math.abs(value), Math.abs(there(value)));
        // Twelve digits are kept either way.
        expect(Math.abs(back - value)).toBeLessThanOrEqual(scale * 1e-6 + Math.abs(value) * 1e-9);
      },
    ),
  );
});
