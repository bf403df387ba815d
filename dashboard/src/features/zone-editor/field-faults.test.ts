import { describe, expect, it } from "vitest";
import { HuishiError } from "@huishi/kernel";
import { createWords } from "../../core/i18n/catalogue.ts";
import { en } from "../../core/i18n/en.ts";
import { fieldFaults } from "./field-faults.ts";

const words = createWords("en", en);

describe("a refusal", () => {
  it("is told on the field that it is about", () => {
    const error = new HuishiError("RULE_SETTING_MISSING", "", { details: { field: "headingDeg" } });
    const faultOf = fieldFaults(error, words);
    expect(faultOf("headingDeg")).toBe(en.errors["RULE_SETTING_MISSING"]);
    expect(faultOf("speedKmh")).toBeNull();
  });

  it("names every field that a schema refused, also within a rehearsal", () => {
    const details = {
      field: "subject.rule.speedKmh",
      fields: [{ field: "subject.rule.speedKmh" }, { field: "subject.rule.sensor.value" }],
    };
    const faultOf = fieldFaults(new HuishiError("VALIDATION_FAILED", "", { details }), words);
    expect(faultOf("speedKmh")).not.toBeNull();
    expect(faultOf("sensor.value")).not.toBeNull();
    expect(faultOf("value")).not.toBeNull();
    expect(faultOf("name")).toBeNull();
  });

  it("without a field is nobody's", () => {
    expect(fieldFaults(new Error("no"), words)("name")).toBeNull();
    expect(fieldFaults(undefined, words)("name")).toBeNull();
  });
});
