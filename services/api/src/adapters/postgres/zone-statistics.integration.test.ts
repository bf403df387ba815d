import type { DwellQuery, FlowsQuery, OccupancyPoint, OccupancyQuery } from "@huishi/contracts";
import { type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countRows, heatMap } from "../../application/statistics.ts";
import { dwellTimes, flowsBetween, occupancyOf } from "../../application/zone-statistics.ts";
import { questionParts } from "../../compose-questions.ts";
import { HOUR_MS, MINUTE_MS } from "../../domain/time-range.ts";
import { rollUp } from "../../test-support/roll-up.ts";
import { createQuestionPool } from "./question-pool.ts";
import { PostgresZoneStore } from "./zone-store.ts";

/** A full hour, 40 minutes after the sums end. */
const TO_MS = Date.UTC(2026, 9, 30, 12);
const FROM_MS = TO_MS - 6 * HOUR_MS;
const ROLLED_MS = TO_MS - 40 * MINUTE_MS;
const range = { fromMs: FROM_MS, toMs: TO_MS };

let database: TestDatabase;
let questions: TestDatabase["pool"];
let parts: ReturnType<typeof questionParts>["statistics"];
let zoneNos: number[];

/** A camera with zones a, b, c and a counting line; another camera with zone z. */
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  questions = createQuestionPool(database.databaseUrl);
  await pool.query("INSERT INTO agent (id, name, secret_hash) VALUES ('agent', 'agent', '\\x00')");
  await pool.query("INSERT INTO area (id, name) VALUES ('north', 'North')");
  await pool.query(
    `INSERT INTO camera (id, agent_id, name, condition, area_id)
     VALUES ('cam-1', 'agent', '1', 'online', 'north'), ('cam-2', 'agent', '2', 'online', NULL)`,
  );
  const found = await pool.query<{ no: number }>(
    `INSERT INTO zone (id, camera_id, name, kind, points)
     SELECT id, camera_id, id, CASE id WHEN 'line' THEN 'line' ELSE 'polygon' END, '[]'
     FROM (VALUES ('a', 'cam-1'), ('b', 'cam-1'), ('c', 'cam-1'), ('z', 'cam-2'), ('line', 'cam-1')) AS z (id, camera_id)
     RETURNING no`,
  );
  zoneNos = found.rows.map(({ no }) => no);
  await pool.query(
    `INSERT INTO rule (id, camera_id, zone_id, settings) VALUES ('rule', 'cam-1', 'line', '{"kind":"line_crossing"}')`,
  );
  await seed();
  await rollUp(pool, ROLLED_MS);
  parts = questionParts({
    pool,
    questions,
    clock: { nowMs: () => TO_MS },
    zones: new PostgresZoneStore(pool),
  }).statistics;
}, 60_000);

afterAll(async () => {
  await questions.end();
  await database.drop();
});

/** Every ten minutes: people stay 1..10 s in a, cars 10..100 s in b; ways a > b > c; a minute of a that was looked at. */
async function seed(): Promise<void> {
  const { pool } = database;
  const [a, b, c] = zoneNos;
  const camera = "(SELECT no FROM camera WHERE id = 'cam-1')";
  const every = `(SELECT n, to_timestamp(${FROM_MS / 1000}) + n * interval '10 minutes' AS at FROM generate_series(0, 35) AS n) AS t`;
  await pool.query(
    `INSERT INTO zone_visit (entered_at, left_at, track_id, zone_no, camera_no, class_code)
     SELECT at, at + (1 + n % 10) * interval '1 second' * CASE code WHEN 1 THEN 1 ELSE 10 END, n, zone_no, ${camera}, code
     FROM ${every}, (VALUES (${a}, 1), (${b}, 3)) AS v (zone_no, code)`,
  );
  await pool.query(
    `INSERT INTO zone_flow (arrived_at, track_id, from_zone_no, to_zone_no, camera_no, gap_ms, class_code, direct)
     SELECT at, n, f, t, ${camera}, gap, 1 + n % 2 * 2, direct
     FROM ${every.replace("AS t", "AS e")}, (VALUES (${a}, ${b}, 30000, true), (${b}, ${c}, 100000, true), (${a}, ${c}, 400000, false)) AS v (f, t, gap, direct)`,
  );
  await pool.query(
    `INSERT INTO zone_occupancy (minute, object_ms, watched_ms, zone_no, camera_no, class_code, objects_max)
     SELECT at, ms, watched, ${a}, ${camera}, code, most
     FROM ${every}, (VALUES (0, 90000, 60000, 4), (1, 30000, 0, 2)) AS v (code, ms, watched, most)
     WHERE code = 0 OR n % 2 = 0`,
  );
  await pool.query(
    `INSERT INTO line_crossing (crossed_at, track_id, camera_no, class_code, left_to_right, rule_id)
     SELECT at, n, ${camera}, 1 + n % 2 * 2, n % 3 = 0, 'rule' FROM ${every}`,
  );
  await pool.query(
    `INSERT INTO detection SELECT at, n, ${camera}, 1 + n % 2 * 2, 8000, 100, 100, 400, 900 FROM ${every}`,
  );
}

const dwell = (query: Partial<DwellQuery>) => dwellTimes(parts, { ...range, cameraId: ["cam-1"], ...query });
const occupancy = (query: Partial<OccupancyQuery>) =>
  occupancyOf(parts, { ...range, by: "hour", zoneId: ["a"], ...query });
const flows = (query: Partial<FlowsQuery>) => flowsBetween(parts, { ...range, cameraId: "cam-1", ...query });

describe("stays", () => {
  it("have their quantiles by zone and class, rolled up or not", async () => {
    const { distributions } = await dwell({ groupBy: "zone_class" });
    expect(distributions.map(({ zoneId, objectClass, visits }) => [zoneId, objectClass, visits])).toEqual([
      ["a", "person", 36],
      ["b", "car", 36],
    ]);
    const [people, cars] = distributions;
    // Lengths are 1..10 s (6 of each up to 6 s, then 3 of each).
    expect(people?.meanMs).toBeCloseTo(5_167, -1);
    expect(Math.abs((people?.p50Ms ?? 0) / 5_000 - 1)).toBeLessThan(0.1);
    expect(Math.abs((people?.p90Ms ?? 0) / 9_000 - 1)).toBeLessThan(0.1);
    expect((cars?.p95Ms ?? 0) / (people?.p95Ms ?? 1)).toBeGreaterThan(9);
    expect(people?.bins.reduce((sum, { visits }) => sum + visits, 0)).toBe(36);
  });

  it("add up over zones and classes, and by area", async () => {
    const whole = await dwell({});
    expect(whole.distributions).toMatchObject([{ zoneId: null, objectClass: null, visits: 72 }]);
    expect((await dwellTimes(parts, { ...range, areaId: ["north"] })).distributions).toEqual(
      whole.distributions,
    );
    expect((await dwell({ class: ["person"] })).distributions[0]?.visits).toBe(36);
    expect((await dwell({ cameraId: ["cam-2"] })).distributions).toEqual([]);
  });

  it("come page by page", async () => {
    const first = await dwell({ groupBy: "zone_class", limit: 1 });
    const second = await dwell({ groupBy: "zone_class", limit: 1, after: first.next ?? "" });
    expect([first, second].map(({ distributions }) => distributions[0]?.zoneId)).toEqual(["a", "b"]);
    expect(second.next).toBeNull();
  });

  it("are asked of somebody, of what is there, over a range that is not too long", async () => {
    await expect(dwellTimes(parts, range)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await expect(dwell({ zoneId: ["gone"] })).rejects.toMatchObject({ code: "ZONE_NOT_FOUND" });
    await expect(dwell({ fromMs: 0 })).rejects.toMatchObject({ code: "TIME_RANGE_TOO_LONG" });
    await expect(dwell({ after: "AAAA" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
  });
});

describe("objects at once", () => {
  it("have mean and most over the time that was looked at, by minute, hour and day", async () => {
    const minutes = (await occupancy({ by: "minute" })).points;
    expect(minutes).toHaveLength(36);
    expect(minutes[0]).toEqual({
      atMs: FROM_MS,
      zoneId: "a",
      objectClass: null,
      mean: 1.5,
      max: 4,
      watchedMs: 60_000,
    });
    const hours = (await occupancy({})).points;
    expect(hours.map(({ mean, max, watchedMs }) => [mean, max, watchedMs])).toEqual(
      Array.from({ length: 6 }, () => [1.5, 4, 360_000]),
    );
    const days = (await occupancy({ by: "day", timeZone: "Asia/Shanghai" })).points;
    expect(days).toMatchObject([{ mean: 1.5, max: 4, watchedMs: 36 * 60_000 }]);
  });

  it("of a class are none where it was not seen while somebody looked", async () => {
    const { points } = await occupancy({ by: "minute", class: ["person", "bus"] });
    expect(points.slice(0, 4).map(({ objectClass, mean, max }) => [objectClass, mean, max])).toEqual([
      ["person", 0.5, 2],
      ["bus", 0, 0],
      ["person", 0, 0],
      ["bus", 0, 0],
    ]);
    expect((await occupancy({ zoneId: ["b"] })).points).toEqual([]);
  });

  it("come page by page, each point once", async () => {
    const seen: OccupancyPoint[] = [];
    for (let after: string | null = ""; after !== null;) {
      const page: Awaited<ReturnType<typeof occupancy>> = await occupancy({
        class: ["person", "car"],
        limit: 5,
        ...(after === "" ? {} : { after }),
      });
      seen.push(...page.points);
      after = page.next;
    }
    expect(seen).toEqual((await occupancy({ class: ["person", "car"] })).points);
    expect(seen).toHaveLength(12);
  });
});

describe("ways between zones", () => {
  const short = (found: Awaited<ReturnType<typeof flows>>): string[] =>
    found.flows.map(({ fromZoneId, toZoneId, objectClass, count }) =>
      [`${fromZoneId}>${toZoneId}`, objectClass, count].filter((part) => part !== null).join(" "),
    );

  it("are counted from each zone to each other, directly or by any way", async () => {
    expect(short(await flows({}))).toEqual(["a>b 36", "a>c 36", "b>c 36"]);
    expect(short(await flows({ via: "direct" }))).toEqual(["a>b 36", "b>c 36"]);
  });

  it("are counted within minutes, and by class", async () => {
    expect(short(await flows({ withinMinutes: 1 }))).toEqual(["a>b 36"]);
    expect(short(await flows({ withinMinutes: 2 }))).toEqual(["a>b 36", "b>c 36"]);
    expect(short(await flows({ withinMinutes: 10, byClass: true, class: ["car"] }))).toEqual([
      "a>b car 18",
      "a>c car 18",
      "b>c car 18",
    ]);
  });

  it("come page by page", async () => {
    const first = await flows({ byClass: true, limit: 4 });
    const second = await flows({ byClass: true, limit: 4, after: first.next ?? "" });
    expect([...short(first), ...short(second)]).toEqual(short(await flows({ byClass: true })));
    await expect(flows({ cameraId: "gone" })).rejects.toMatchObject({ code: "CAMERA_NOT_FOUND" });
  });
});

describe("counts of a line", () => {
  it("are told by class and direction together, page by page", async () => {
    const query = { what: "crossings", by: "day", groupBy: "line_class", ...range } as const;
    const { points } = await countRows(parts, query);
    expect(
      points.map(({ key, objectClass, count, leftToRight }) => [key, objectClass, count, leftToRight]),
    ).toEqual([
      ["rule", "person", 18, 6],
      ["rule", "car", 18, 6],
    ]);
    const first = await countRows(parts, { ...query, limit: 1 });
    const second = await countRows(parts, { ...query, limit: 1, after: first.next ?? "" });
    expect([...first.points, ...second.points]).toEqual(points);
  });

  it("are not kept for zones, nor visits for lines", async () => {
    const query = { by: "hour", ...range } as const;
    await expect(
      countRows(parts, { ...query, what: "crossings", groupBy: "zone_class" }),
    ).rejects.toMatchObject({
      code: "COUNTS_NOT_KEPT",
    });
    const visits = await countRows(parts, { ...query, what: "visits", groupBy: "zone_class", by: "day" });
    expect(visits.points.map(({ key, objectClass, count }) => [key, objectClass, count])).toEqual([
      ["a", "person", 36],
      ["b", "car", 36],
    ]);
  });
});

describe("a heat map", () => {
  it("tells classes apart where it is asked to", async () => {
    const asked = { cameraId: "cam-1", zone: null, range, classes: null };
    const whole = await heatMap(parts, asked);
    expect(whole.cells).toHaveLength(1);
    expect(whole.cells[0]).not.toHaveProperty("objectClass");
    const byClass = await heatMap(parts, { ...asked, byClass: true });
    expect(byClass.cells.map(({ objectClass, detections }) => [objectClass, detections])).toEqual([
      ["person", 18],
      ["car", 18],
    ]);
  });
});
