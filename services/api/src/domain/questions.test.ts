import { HuishiError } from "@huishi/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseRollup, type CountShape, countRange } from "./count-plan.ts";
import { headingRanges } from "./heading.ts";
import { cellsInside } from "./heat-cells.ts";
import { widenToDays } from "./local-days.ts";
import { formatPageCursor, integerField, parsePageCursor, timeField } from "./page-cursor.ts";
import { bucketFor, findGaps, mayBeRaw, rollupFor } from "./series-plan.ts";
import { bucketCeil, bucketFloor, checkRange, DAY_MS, HOUR_MS, MINUTE_MS } from "./time-range.ts";

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof HuishiError) return thrown.code;
    throw thrown;
  }
  return "none";
};

describe("a page cursor", () => {
  it("comes back as it was given, whatever its fields hold", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 4 }), (fields) => {
        const text = formatPageCursor("tracks", fields);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(parsePageCursor("tracks", text, fields.length)).toEqual(fields);
      }),
    );
  });

  it("refuses any other text, another question's cursor and numbers that no row can have", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(codeOf(() => parsePageCursor("tracks", text, 2))).toBe("VALIDATION_FAILED");
      }),
    );
    const other = formatPageCursor("events", ["1", "2"]);
    expect(codeOf(() => parsePageCursor("tracks", other, 2))).toBe("VALIDATION_FAILED");
    expect(codeOf(() => integerField(["9223372036854775808"], 0))).toBe("VALIDATION_FAILED");
    expect(integerField(["-9223372036854775808"], 0)).toBe("-9223372036854775808");
    expect(codeOf(() => integerField(["1; DROP TABLE track"], 0))).toBe("VALIDATION_FAILED");
    expect(codeOf(() => timeField(["-1"], 0))).toBe("VALIDATION_FAILED");
  });
});

describe("a time range", () => {
  it("has to begin before it ends and to be no longer than its question takes", () => {
    expect(codeOf(() => checkRange({ fromMs: 5, toMs: 5 }, 10))).toBe("TIME_RANGE_INVALID");
    expect(codeOf(() => checkRange({ fromMs: 0, toMs: 11 }, 10))).toBe("TIME_RANGE_TOO_LONG");
    expect(codeOf(() => checkRange({ fromMs: 0, toMs: 10 }, 10))).toBe("none");
  });

  it("is widened to whole buckets that hold it and no more", () => {
    const time = fc.integer({ min: 946_857_600_000, max: 4e12 });
    fc.assert(
      fc.property(time, fc.constantFrom(MINUTE_MS, HOUR_MS, 7 * DAY_MS), (atMs, bucketMs) => {
        const [floorMs, ceilMs] = [bucketFloor(atMs, bucketMs), bucketCeil(atMs, bucketMs)];
        expect(floorMs <= atMs && atMs <= ceilMs && ceilMs - floorMs <= bucketMs).toBe(true);
        expect(bucketFloor(floorMs, bucketMs)).toBe(floorMs);
      }),
    );
    // As time_bucket does: weeks begin on Mondays.
    expect(new Date(bucketFloor(Date.UTC(2026, 10, 25), 7 * DAY_MS)).getUTCDay()).toBe(1);
  });
});

describe("local days", () => {
  it("begin at midnight of their zone, on days of 23 and 25 hours too", () => {
    const shanghai = widenToDays(
      { fromMs: Date.UTC(2026, 0, 5, 17), toMs: Date.UTC(2026, 0, 5, 18) },
      "Asia/Shanghai",
    );
    expect(shanghai).toEqual({ fromMs: Date.UTC(2026, 0, 5, 16), toMs: Date.UTC(2026, 0, 6, 16) });
    const spring = widenToDays(
      { fromMs: Date.UTC(2026, 2, 29, 12), toMs: Date.UTC(2026, 2, 29, 13) },
      "Europe/Berlin",
    );
    expect(spring).toEqual({ fromMs: Date.UTC(2026, 2, 28, 23), toMs: Date.UTC(2026, 2, 29, 22) });
    const autumn = widenToDays(
      { fromMs: Date.UTC(2026, 9, 25, 1), toMs: Date.UTC(2026, 9, 25, 2) },
      "Europe/Berlin",
    );
    expect(autumn).toEqual({ fromMs: Date.UTC(2026, 9, 24, 22), toMs: Date.UTC(2026, 9, 25, 23) });
  });

  it("hold any range, with both ends at a midnight", () => {
    const hour = fc.integer({ min: 400_000, max: 600_000 });
    fc.assert(
      fc.property(
        hour,
        fc.integer({ min: 1, max: 400 * 24 }),
        fc.constantFrom("Asia/Shanghai", "Europe/Berlin", "America/New_York"),
        (fromHour, hours, zone) => {
          const range = { fromMs: fromHour * HOUR_MS, toMs: (fromHour + hours) * HOUR_MS };
          const days = widenToDays(range, zone);
          expect(days.fromMs <= range.fromMs && days.toMs >= range.toMs).toBe(true);
          const clockAt = (ms: number): string =>
            new Date(ms).toLocaleTimeString("en-GB", { timeZone: zone });
          expect([clockAt(days.fromMs), clockAt(days.toMs)]).toEqual(["00:00:00", "00:00:00"]);
          expect(days.toMs - range.toMs < 1.1 * DAY_MS && range.fromMs - days.fromMs < 1.1 * DAY_MS).toBe(
            true,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it("are refused where they do not begin on a full hour, and in zones that nobody knows", () => {
    const range = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2) };
    expect(codeOf(() => widenToDays(range, "Asia/Kolkata"))).toBe("TIME_ZONE_NOT_HOURLY");
    expect(codeOf(() => widenToDays(range, "Nowhere/Else"))).toBe("TIME_ZONE_UNKNOWN");
  });
});

describe("counts", () => {
  const shape = (change: Partial<CountShape>): CountShape => ({
    what: "detections",
    by: "minute",
    groupBy: "none",
    byCamera: false,
    byClass: false,
    byZone: false,
    byLine: false,
    ...change,
  });

  it("are read from the coarsest sums that answer the question", () => {
    expect(chooseRollup(shape({}))).toBe("detection_class_minute");
    expect(chooseRollup(shape({ groupBy: "class", by: "day" }))).toBe("detection_class_hour");
    expect(chooseRollup(shape({ groupBy: "camera" }))).toBe("detection_camera_minute");
    expect(chooseRollup(shape({ groupBy: "camera", byClass: true }))).toBe("detection_minute");
    expect(chooseRollup(shape({ byCamera: true, by: "hour" }))).toBe("detection_hour");
    expect(chooseRollup(shape({ what: "visits", groupBy: "zone", by: "day" }))).toBe("zone_hour");
  });

  it("are refused where no sums are kept", () => {
    expect(codeOf(() => chooseRollup(shape({ groupBy: "zone" })))).toBe("COUNTS_NOT_KEPT");
    expect(codeOf(() => chooseRollup(shape({ what: "tracks", byZone: true })))).toBe("COUNTS_NOT_KEPT");
    expect(codeOf(() => chooseRollup(shape({ what: "visits", byLine: true })))).toBe("COUNTS_NOT_KEPT");
  });

  it("take two days by the minute and no more", () => {
    const range = (days: number): { fromMs: number; toMs: number } => ({ fromMs: 0, toMs: days * DAY_MS });
    expect(codeOf(() => countRange(range(2), "minute", "UTC"))).toBe("none");
    expect(codeOf(() => countRange(range(2.1), "minute", "UTC"))).toBe("TIME_RANGE_TOO_LONG");
    expect(codeOf(() => countRange(range(62), "hour", "UTC"))).toBe("none");
    expect(codeOf(() => countRange(range(401), "day", "UTC"))).toBe("TIME_RANGE_TOO_LONG");
  });
});

describe("a sensor's series", () => {
  it("is drawn in the shortest bucket of which so many cover the range", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * DAY_MS }),
        fc.integer({ min: 1, max: 2_000 }),
        (spanMs, points) => {
          const bucketMs = bucketFor({ fromMs: 0, toMs: spanMs }, points);
          expect(spanMs / bucketMs).toBeLessThanOrEqual(points);
          expect(bucketMs % (rollupFor(bucketMs) === "observation_hour" ? HOUR_MS : MINUTE_MS)).toBe(0);
        },
      ),
    );
    expect(mayBeRaw({ fromMs: 0, toMs: HOUR_MS }, 60, MINUTE_MS)).toBe(true);
    expect(mayBeRaw({ fromMs: 0, toMs: HOUR_MS }, 59, MINUTE_MS)).toBe(false);
  });

  const at = (...minutes: number[]): { atMs: number }[] =>
    minutes.map((minute) => ({ atMs: minute * MINUTE_MS }));
  const range = { fromMs: 0, toMs: 60 * MINUTE_MS };

  it("has gaps where three expected intervals passed without a value, at its ends too", () => {
    const facts = { range, bucketMs: 0, expectedIntervalMs: 5 * MINUTE_MS, losses: [] };
    expect(findGaps(at(0, 5, 20, 40, 45), facts)).toEqual([
      { fromMs: 20 * MINUTE_MS, toMs: 40 * MINUTE_MS, reason: "no_data" },
    ]);
    expect(
      findGaps(at(20, 25, 40), facts).map(({ fromMs, toMs }) => [fromMs / MINUTE_MS, toMs / MINUTE_MS]),
    ).toEqual([
      [0, 20],
      [40, 60],
    ]);
    expect(findGaps([], facts)).toEqual([{ ...range, reason: "no_data" }]);
  });

  it("takes the median distance for expected where nobody said", () => {
    const facts = { range, bucketMs: 0, expectedIntervalMs: null, losses: [] };
    expect(findGaps(at(0, 10, 20, 30, 40, 50), facts)).toEqual([]);
    expect(findGaps(at(0, 1, 2, 3, 30, 31, 58), facts)).toHaveLength(2);
  });

  it("begins a gap behind a bucket, and sees none between neighbours", () => {
    const facts = { range, bucketMs: 15 * MINUTE_MS, expectedIntervalMs: 1_000, losses: [] };
    expect(findGaps(at(0, 15, 30, 45), facts)).toEqual([]);
    expect(findGaps(at(0, 45), facts)).toEqual([
      { fromMs: 15 * MINUTE_MS, toMs: 45 * MINUTE_MS, reason: "no_data" },
    ]);
  });

  it("says which gaps are values that the edge had to give up", () => {
    const losses = [{ fromMs: 21 * MINUTE_MS, toMs: 30 * MINUTE_MS }];
    const facts = { range, bucketMs: 0, expectedIntervalMs: 5 * MINUTE_MS, losses };
    expect(findGaps(at(0, 5, 20, 40), facts).map(({ reason }) => reason)).toEqual([
      "lost_at_edge",
      "no_data",
    ]);
  });
});

describe("a way through the picture", () => {
  it("is one of four for every degree", () => {
    for (let deg = 0; deg < 360; deg++) {
      const ways = (["up", "right", "down", "left"] as const).filter((heading) =>
        headingRanges(heading).some(([fromDeg, toDeg]) => deg >= fromDeg && deg < toDeg),
      );
      expect(ways, `${deg} degrees`).toHaveLength(1);
    }
    expect(headingRanges("up")).toEqual([
      [315, 360],
      [0, 45],
    ]);
  });
});

describe("the cells of a heat map", () => {
  it("belong to a zone when their centre lies in it", () => {
    const left = [
      { x: 0, y: 0 },
      { x: 0.5, y: 0 },
      { x: 0.5, y: 1 },
      { x: 0, y: 1 },
    ];
    const cells = cellsInside(left);
    expect(cells).toHaveLength(16 * 18);
    expect(cells.every((cell) => cell % 32 < 16)).toBe(true);
  });
});
