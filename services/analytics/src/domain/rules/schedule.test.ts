import { describe, expect, it } from "vitest";
import { intlClock, isArmed } from "./schedule.ts";

describe("isArmed", () => {
  const night = { days: [5], fromMinute: 22 * 60, toMinute: 6 * 60, timeZone: "Asia/Shanghai" };

  it("runs over midnight as part of the day on which it began", () => {
    expect(isArmed(night, { day: 5, minute: 22 * 60 })).toBe(true);
    expect(isArmed(night, { day: 6, minute: 6 * 60 - 1 })).toBe(true);
    expect(isArmed(night, { day: 6, minute: 6 * 60 })).toBe(false);
    expect(isArmed(night, { day: 5, minute: 0 })).toBe(false);
    expect(isArmed({ ...night, days: [7] }, { day: 1, minute: 0 })).toBe(true);
  });

  it("covers a whole day from minute 0 to 1440", () => {
    const always = { ...night, fromMinute: 0, toMinute: 1440 };
    expect(isArmed(always, { day: 5, minute: 0 })).toBe(true);
    expect(isArmed(always, { day: 5, minute: 1439 })).toBe(true);
    expect(isArmed(always, { day: 6, minute: 0 })).toBe(false);
  });
});

describe("intlClock", () => {
  it("tells weekday and minute in a time zone, also across a change to summer time", () => {
    const clock = intlClock();
    expect(clock(Date.UTC(2026, 0, 4, 16, 30), "Asia/Shanghai")).toEqual({ day: 1, minute: 30 });
    expect(clock(Date.UTC(2026, 2, 29, 0, 59), "Europe/Berlin")).toEqual({ day: 7, minute: 119 });
    expect(clock(Date.UTC(2026, 2, 29, 1, 0), "Europe/Berlin")).toEqual({ day: 7, minute: 180 });
  });

  it("takes an unknown zone for UTC", () => {
    expect(intlClock()(Date.UTC(2026, 0, 5, 1, 2), "Mars/Olympus")).toEqual({ day: 1, minute: 62 });
  });
});
