import type { RehearsalResult } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import {
  clipTime,
  isSameRule,
  lanesOf,
  raisedPerDay,
  spanOf,
  ticksOf,
  unlisted,
  whyNone,
} from "./rehearsal-model.ts";
import { newRuleForm } from "./rule-form-model.ts";

const HOUR = 3_600_000;
const result = (fields: Partial<RehearsalResult> = {}): RehearsalResult => ({
  frames: 100,
  tracks: 10,
  coveredMs: 24 * HOUR,
  fromMs: 0,
  toMs: 24 * HOUR,
  looked: [],
  raised: 12,
  baselineRaised: null,
  added: null,
  removed: null,
  alarms: [],
  ...fields,
});

describe("a rehearsal", () => {
  it("tells a number a day only where enough was looked at", () => {
    expect(raisedPerDay(result())).toBe(12);
    expect(raisedPerDay(result({ coveredMs: 12 * HOUR }))).toBe(24);
    expect(raisedPerDay(result({ coveredMs: HOUR }))).toBeNull();
  });

  it("says why nothing would have been raised", () => {
    expect(whyNone(result({ frames: 0, tracks: 0 }))).toBe("noneUnseen");
    expect(whyNone(result({ tracks: 0 }))).toBe("noneEmpty");
    expect(whyNone(result())).toBe("noneFit");
  });

  it("has a lane for each outcome of a comparison", () => {
    expect(lanesOf({ baseline: null })).toHaveLength(1);
    expect(unlisted(result({ raised: 700, removed: 3 }))).toBe(703);
  });
});

describe("two rules", () => {
  const form = newRuleForm("intrusion", "One");
  it("raise the same when only names, urgency or arming differ", () => {
    expect(isSameRule(form, { ...form, name: "Two", priority: "P1", enabled: false })).toBe(true);
    expect(isSameRule(form, { ...form, persistenceMs: form.persistenceMs + 1 })).toBe(false);
  });
});

describe("the time axis", () => {
  it("has few, round times, in local time", () => {
    const day = ticksOf({ fromMs: 0, toMs: 24 * HOUR }, 8 * HOUR);
    expect(day.map(({ ms }) => (ms + 8 * HOUR) % (6 * HOUR))).toEqual(day.map(() => 0));
    expect(day.length).toBeLessThanOrEqual(6);
    expect(ticksOf({ fromMs: 0, toMs: 12_000 }, 0).map(({ ms }) => ms)).toEqual([0, 5_000, 10_000]);
  });

  it("places an alarm by its begin, its length and its decision, within the range", () => {
    const alarm = {
      startedAtMs: -10,
      capturedAtMs: 250,
      clearedAtMs: 500,
      occurrences: 1,
      objectClass: "person" as const,
      score: 1,
      box: { x: 0, y: 0, w: 1, h: 1 },
      trackIds: [],
      compared: "added" as const,
    };
    expect(spanOf(alarm, { fromMs: 0, toMs: 1_000 })).toEqual({ at: 0, length: 0.5, decided: 0.25 });
  });

  it("writes times of a clip from its begin", () => expect(clipTime(61_000)).toBe("1:01"));
});
