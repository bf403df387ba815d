import { describe, expect, it } from "vitest";
import { en } from "../../core/i18n/en.ts";
import {
  ALL_OBJECT_CLASSES,
  CLASSES_OF_KIND,
  firstSchedule,
  formOf,
  minuteOf,
  newRuleForm,
  timeText,
  toggleClass,
  toggleDay,
  withKind,
} from "./rule-form-model.ts";

describe("rule form", () => {
  it("starts from the domain's defaults", () => {
    expect(newRuleForm("intrusion", "Quay")).toMatchObject({
      name: "Quay",
      persistenceMs: 3_000,
      priority: "P2",
      classes: ["person"],
    });
  });

  it("takes another kind's defaults and keeps what somebody decided", () => {
    const night = {
      ...newRuleForm("intrusion", "Gate"),
      enabled: false,
      schedule: firstSchedule("Asia/Shanghai"),
    };
    expect(withKind(night, "dwell")).toMatchObject({
      name: "Gate",
      kind: "dwell",
      alarmClass: "illegal_parking_motor",
      enabled: false,
      schedule: { timeZone: "Asia/Shanghai" },
    });
  });

  it("sends of a rule only what a person decides", () => {
    const form = newRuleForm("line_crossing", "Line");
    expect(formOf({ ...form, id: "r", cameraId: "c", zoneId: "z", version: 2 })).toEqual(form);
  });

  it("toggles objects in the catalogue's order", () => {
    const form = toggleClass(newRuleForm("intrusion", "x"), "bicycle");
    expect(form.classes).toEqual(["person", "bicycle"]);
    expect(toggleClass(form, "person").classes).toEqual(["bicycle"]);
  });

  it("never leaves a schedule without a day", () => {
    const monday = { ...firstSchedule("UTC"), days: [1] };
    expect(toggleDay(monday, 1).days).toEqual([1]);
    expect(toggleDay(monday, 3).days).toEqual([1, 3]);
  });

  it("reads and writes times of day", () => {
    expect(timeText(22 * 60)).toBe("22:00");
    expect(timeText(1440)).toBe("00:00");
    expect(minuteOf("06:30")).toBe(390);
    expect(minuteOf("")).toBeNull();
  });

  it("has words for every class it offers", () => {
    for (const slug of Object.values(CLASSES_OF_KIND).flat()) expect(en.alarmClass[slug], slug).toBeTruthy();
    for (const slug of ALL_OBJECT_CLASSES) expect(en.objectClass[slug], slug).toBeTruthy();
  });
});
