import { RECORD_FIELDS } from "@huishi/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RECORD_WEIGHTS, recordCompleteness } from "./record-completeness.ts";

const everything = Object.fromEntries(RECORD_FIELDS.map((field) => [field, "known"]));

describe("the completeness of a device record", () => {
  test("is 0 of nothing and 100 of everything", () => {
    expect(recordCompleteness({}).percent).toBe(0);
    expect(recordCompleteness(everything)).toEqual({ percent: 100, missing: [] });
  });

  test("names what is missing, the weightiest first", () => {
    expect(recordCompleteness({ ...everything, tilt: null, purpose: "  ", heading: 0 })).toEqual({
      percent: 100 - RECORD_WEIGHTS.tilt - RECORD_WEIGHTS.purpose,
      missing: ["purpose", "tilt"],
    });
  });

  test("rises with each field that becomes known, and stays between 0 and 100", () => {
    fc.assert(
      fc.property(fc.subarray([...RECORD_FIELDS]), fc.constantFrom(...RECORD_FIELDS), (known, added) => {
        const before = recordCompleteness(Object.fromEntries(known.map((field) => [field, "x"])));
        const after = recordCompleteness(Object.fromEntries([...known, added].map((field) => [field, "x"])));
        expect(after.percent - before.percent).toBe(known.includes(added) ? 0 : RECORD_WEIGHTS[added]);
        expect(before.missing).toHaveLength(RECORD_FIELDS.length - known.length);
        expect(before.percent).toBeGreaterThanOrEqual(0);
        expect(after.percent).toBeLessThanOrEqual(100);
      }),
    );
  });
});
