import type { ObjectClass } from "@huishi/contracts";
import { expect, test } from "vitest";
import { RuleClasses } from "./rule-classes.ts";
import { rule } from "./test-support/tracks.ts";

const KNOWN: readonly ObjectClass[] = ["person", "car"];

function watch(...rules: Parameters<typeof rule>[0][]) {
  const told: { readonly error: unknown; readonly fields: unknown }[] = [];
  const classes = new RuleClasses(
    "cam-1",
    rules.map((fields) => rule(fields)),
    {
      report: (error, _, fields) => told.push({ error, fields }),
    },
  );
  return { classes, told };
}

test("rules about classes that the model knows are no fault", () => {
  const { classes, told } = watch({}, { id: "rule-2", classes: ["car", "person"] });
  classes.modelKnows(KNOWN);
  expect([classes.faults, told]).toEqual([[], []]);
});

test("a class that the model never reports is a coded fault that says what it knows, once", () => {
  const { classes, told } = watch({ classes: ["person", "boat"] }, { id: "rule-2", classes: ["dog", "cat"] });
  classes.modelKnows(KNOWN);
  classes.modelKnows(KNOWN);
  expect(classes.faults).toMatchObject([
    { ruleId: "rule-1", unknown: ["boat"], isDeaf: false },
    { ruleId: "rule-2", unknown: ["dog", "cat"], isDeaf: true },
  ]);
  expect(told).toHaveLength(1);
  expect(told[0]?.error).toMatchObject({
    code: "RULE_CLASS_UNKNOWN_TO_MODEL",
    message: expect.stringMatching(/rule-1 \(boat\); rule-2 \(dog, cat\).*It knows person, car/) as string,
  });
});

test("it is over when the rule was changed or switched off, and comes back with it", () => {
  const { classes, told } = watch({ classes: ["boat"] });
  classes.modelKnows(KNOWN);
  classes.replace([rule({ classes: ["boat"], enabled: false })]);
  expect(classes.faults).toEqual([]);
  classes.replace([rule({ classes: ["boat"] })]);
  expect([classes.faults.length, told.length]).toEqual([1, 2]);
  classes.replace([rule({ classes: ["person"] })]);
  expect(classes.faults).toEqual([]);
});

test("before a detector was opened, or where it does not say what it knows, nothing is concluded", () => {
  const { classes, told } = watch({ classes: ["boat"] });
  expect(classes.faults).toEqual([]);
  classes.modelKnows(undefined);
  expect([classes.faults, told]).toEqual([[], []]);
});
