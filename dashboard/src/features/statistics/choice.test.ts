import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Choice, granularityOf, parseChoice, rangeOf, SPANS, writeChoice } from "./choice.ts";

const NONE: Choice = {
  cameraId: null,
  zoneId: null,
  ruleId: null,
  objectClass: null,
  span: "24h",
  untilMs: null,
};

describe("a choice", () => {
  it("comes back from the address as it was", () => {
    const id = fc.option(fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/), { nil: null });
    const choices = fc.record({
      cameraId: id,
      zoneId: id,
      ruleId: id,
      objectClass: fc.constantFrom("person" as const, "car" as const, null),
      span: fc.constantFrom(...SPANS),
      untilMs: fc.option(fc.integer({ min: 1, max: 4e12 }), { nil: null }),
    });
    fc.assert(
      fc.property(choices, (choice) => {
        expect(parseChoice(writeChoice(choice))).toEqual(choice);
      }),
    );
    expect(writeChoice(NONE)).toBe("");
  });

  it("takes whatever it does not know for not chosen", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseChoice(text);
      }),
    );
    for (const text of [
      "range=1y",
      "class=unicorn",
      "class=toString",
      "camera=<b>",
      "until=NaN",
      "until=-4",
    ]) {
      expect(parseChoice(text)).toEqual(NONE);
    }
  });
});

describe("the range", () => {
  it("ends with the running hour and is as long as chosen", () => {
    const now = Date.UTC(2026, 10, 24, 13, 5);
    expect(rangeOf({ span: "6h", untilMs: null }, now)).toEqual({
      fromMs: Date.UTC(2026, 10, 24, 8),
      toMs: Date.UTC(2026, 10, 24, 14),
    });
    expect(rangeOf({ span: "7d", untilMs: Date.UTC(2026, 10, 1) }, now).toMs).toBe(Date.UTC(2026, 10, 1));
  });

  it("has buckets that a chart has room for", () => {
    for (const span of SPANS) {
      const { fromMs, toMs } = rangeOf({ span, untilMs: null }, 1e12);
      const bucketMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[granularityOf(span)];
      expect((toMs - fromMs) / bucketMs).toBeLessThanOrEqual(400);
    }
  });
});
