import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGb28181Code, writeGb28181Code } from "./gb28181-code.ts";

describe("a GB/T 28181 code", () => {
  test("is told apart into centre, industry, type, network and serial number", () => {
    expect(readGb28181Code("11010500001320000001")).toEqual({
      isValid: true,
      code: { centre: "11010500", industry: "00", type: "132", network: "0", serial: "000001" },
      warnings: [],
    });
  });

  test("of an unknown industry, type or province is taken with a warning", () => {
    expect(readGb28181Code("99010500205000000001")).toMatchObject({
      isValid: true,
      warnings: ["unknown_province", "unknown_industry", "not_a_camera_type"],
    });
  });

  test("of 20 digits reads and writes to the same digits", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{20}$/), (text) => {
        const reading = readGb28181Code(text);
        expect(reading.isValid && writeGb28181Code(reading.code)).toBe(text);
      }),
    );
  });

  test("that is anything but 20 ASCII digits is refused", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }).filter((text) => !/^[0-9]{20}$/.test(text)),
        (text) => {
          expect(readGb28181Code(text)).toEqual({ isValid: false });
        },
      ),
    );
    for (const text of [
      "1101050000132000000",
      "110105000013200000012",
      "11010500001320000001\n",
      "１".repeat(20),
    ]) {
      expect(readGb28181Code(text)).toEqual({ isValid: false });
    }
  });
});
