import type { CountsQuery } from "@huishi/contracts";
import { type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageDeviceEvents } from "../../application/device-events.ts";
import { pageSensorStates } from "../../application/device-states.ts";
import { recentDetections, recentTracks, searchTracks } from "../../application/perception.ts";
import { readSeries } from "../../application/sensor-series.ts";
import { countRows, heatMap, zoneHeatMap } from "../../application/statistics.ts";
import { questionParts } from "../../compose-questions.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../domain/time-range.ts";
import { rollUp } from "../../test-support/roll-up.ts";
import { type City, seedCity } from "../../test-support/seed-city.ts";
import { createQuestionPool } from "./question-pool.ts";
import { PostgresRuleStore } from "./rule-store.ts";
import { PostgresZoneStore } from "./zone-store.ts";

const TO_MS = Date.UTC(2026, 9, 30, 12, 34);
const FROM_MS = TO_MS - 2 * DAY_MS;
/** Sums end here: the last hour and a half of every question comes from minutes and rows. */
const ROLLED_MS = TO_MS - 90 * MINUTE_MS;
const clock = { nowMs: () => TO_MS };

let database: TestDatabase;
let questions: TestDatabase["pool"];
let city: City;
let parts: ReturnType<typeof questionParts>;

beforeAll(async () => {
  database = await testDatabase();
  questions = createQuestionPool(database.databaseUrl);
  city = await seedCity(database.pool, {
    cameras: 10,
    datastreams: 6,
    fromMs: FROM_MS,
    toMs: TO_MS,
    detections: 20_000,
    tracks: 2_000,
    visits: 1_000,
    crossings: 500,
    observations: 5_000,
    events: 600,
  });
  await rollUp(database.pool, ROLLED_MS);
  parts = questionParts({ pool: database.pool, questions, clock, zones: new PostgresZoneStore(questions) });
}, 120_000);

afterAll(async () => {
  await questions.end();
  await database.drop();
});

async function scalar(sql: string, values: unknown[] = []): Promise<number> {
  const found = await database.pool.query<{ value: number }>(`SELECT (${sql})::float8 AS value`, values);
  return found.rows[0]?.value ?? Number.NaN;
}

const lastDay = {
  fromMs: Math.floor(TO_MS / HOUR_MS) * HOUR_MS - 23 * HOUR_MS,
  toMs: Math.ceil(TO_MS / HOUR_MS) * HOUR_MS,
};
const asTimes = ({ fromMs, toMs }: { fromMs: number; toMs: number }): Date[] => [
  new Date(fromMs),
  new Date(toMs),
];

/** All pages of counts, and their sum. */
async function countAll(
  query: CountsQuery,
): Promise<{ total: number; points: number; keys: Set<string | null> }> {
  const keys = new Set<string | null>();
  let [total, points, after]: [number, number, string | null] = [0, 0, null];
  do {
    const page = await countRows(parts.statistics, { ...query, ...(after === null ? {} : { after }) });
    for (const point of page.points) {
      total += point.count;
      points += 1;
      keys.add(point.key);
    }
    after = page.next;
  } while (after !== null);
  return { total, points, keys };
}

describe("counts", () => {
  it.each(["minute", "hour", "day"] as const)(
    "by the %s are the rows' own number, rolled up or not",
    async (by) => {
      const counted = await countRows(parts.statistics, { what: "detections", by, ...lastDay });
      const rows = await scalar(
        "SELECT count(*) FROM detection WHERE captured_at >= $1 AND captured_at < $2",
        asTimes(counted),
      );
      expect(counted.points.reduce((sum, { count }) => sum + count, 0)).toBe(rows);
      expect(rows).toBeGreaterThan(5_000);
    },
  );

  it("agree by camera, class, and page by page", async () => {
    const query = { what: "detections", by: "hour", ...lastDay } as const;
    const whole = await countAll(query);
    const byCamera = await countAll({ ...query, groupBy: "camera", limit: 7 });
    expect(byCamera.total).toBe(whole.total);
    expect([...byCamera.keys].toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(city.cameraIds);
    const byClass = await countAll({ ...query, groupBy: "class", limit: 5 });
    expect(byClass.total).toBe(whole.total);
    const person = await countAll({
      ...query,
      by: "minute",
      class: ["person"],
      cameraId: city.cameraIds.slice(0, 4),
    });
    expect(person.total).toBe(
      await scalar(
        "SELECT count(*) FROM detection WHERE captured_at >= $1 AND captured_at < $2 AND class_code = 1 AND camera_no = ANY($3)",
        [...asTimes(lastDay), city.cameraNos.slice(0, 4)],
      ),
    );
  });

  it("of an area hold the areas below it, and each of several areas stands by itself", async () => {
    const query = { what: "tracks", by: "hour", ...lastDay } as const;
    const whole = await countAll(query);
    expect((await countAll({ ...query, areaId: ["city"] })).total).toBe(whole.total);
    // A camera of street-0 is in its district and in the city, and counts once where nothing is grouped.
    expect((await countAll({ ...query, areaId: ["city", "street-0"] })).total).toBe(whole.total);
    const grouped = await countAll({ ...query, groupBy: "area", areaId: ["city", "district-1"] });
    expect([...grouped.keys].toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      "city",
      "district-1",
    ]);
    const district = await countAll({ ...query, areaId: ["district-1"] });
    expect(grouped.total).toBe(whole.total + district.total);
    expect((await countAll({ ...query, groupBy: "area" })).keys).toEqual(new Set(["city"]));
    expect((await countAll({ ...query, areaId: ["street-24"] })).points).toBe(0);
  });

  it("of visits and crossings know zones, lines, directions and how long", async () => {
    const range = { fromMs: FROM_MS, toMs: TO_MS };
    // Every second track visits; of ten cameras those are the even ones'.
    const zoneIds = [city.zoneIds[0] as string, city.zoneIds[2] as string];
    const visits = await countRows(parts.statistics, {
      what: "visits",
      by: "hour",
      groupBy: "zone",
      ...range,
      zoneId: zoneIds,
    });
    expect(new Set(visits.points.map(({ key }) => key))).toEqual(new Set(zoneIds));
    expect(visits.points.every(({ dwellMs }) => dwellMs === 7_000)).toBe(true);
    const crossings = await countAll({ what: "crossings", by: "hour", groupBy: "camera", ...range });
    expect(crossings.total).toBe(500);
    const lines = await countRows(parts.statistics, {
      what: "crossings",
      by: "day",
      groupBy: "line",
      ...range,
    });
    const rightwards = lines.points.reduce((sum, { leftToRight = 0 }) => sum + leftToRight, 0);
    expect(rightwards).toBe(await scalar("SELECT count(*) FROM line_crossing WHERE left_to_right"));
  });

  it("keep the rows of a camera that was deleted, without a key", async () => {
    await database.pool.query("INSERT INTO detection SELECT $1, 1, 9999, 1, 1, 1, 1, 1, 1", [
      new Date(TO_MS - MINUTE_MS),
    ]);
    const counted = await countAll({
      what: "detections",
      by: "minute",
      groupBy: "camera",
      fromMs: TO_MS - HOUR_MS,
      toMs: TO_MS,
    });
    expect(counted.keys.has(null)).toBe(true);
    await database.pool.query("DELETE FROM detection WHERE camera_no = 9999");
  });

  it("of what is not there are refused", async () => {
    const query = { what: "detections", by: "hour", ...lastDay } as const;
    await expect(countRows(parts.statistics, { ...query, cameraId: ["no-such"] })).rejects.toMatchObject({
      code: "CAMERA_NOT_FOUND",
    });
    await expect(countRows(parts.statistics, { ...query, areaId: ["no-such"] })).rejects.toMatchObject({
      code: "AREA_NOT_FOUND",
    });
    await expect(countRows(parts.statistics, { ...query, after: "AAAA" })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
  });
});

describe("crossings of a rule", () => {
  it("are exact to the millisecond, whatever part is rolled up", async () => {
    const rules = new PostgresRuleStore(questions, questions);
    const ruleId = city.ruleIds[3] as string;
    for (const range of [
      { fromMs: FROM_MS + 12_345, toMs: TO_MS - 4_321 },
      { fromMs: ROLLED_MS - 30_001, toMs: ROLLED_MS + 30_001 },
      { fromMs: TO_MS - 500, toMs: TO_MS - 400 },
    ]) {
      const byClass = await rules.countCrossings({ ruleId, ...range });
      const total = byClass.reduce((sum, row) => sum + row.leftToRight + row.rightToLeft, 0);
      expect(total).toBe(
        await scalar(
          "SELECT count(*) FROM line_crossing WHERE rule_id = $3 AND crossed_at >= $1 AND crossed_at < $2",
          [...asTimes(range), ruleId],
        ),
      );
    }
  });
});

describe("heat maps", () => {
  it("hold every foot point once, and of a zone those inside it", async () => {
    const range = { fromMs: lastDay.fromMs, toMs: TO_MS };
    const cameraId = city.cameraIds[2] as string;
    const whole = await heatMap(parts.statistics, { cameraId, zone: null, range, classes: null });
    const sum = whole.cells.reduce((total, { detections }) => total + detections, 0);
    expect(sum).toBe(
      await scalar(
        "SELECT count(*) FROM detection WHERE captured_at >= $1 AND captured_at < $2 AND camera_no = $3",
        [...asTimes(whole), city.cameraNos[2]],
      ),
    );
    const zone = await zoneHeatMap(parts.statistics, { zoneId: "polygon-0002", range, classes: null });
    const inside = whole.cells.filter(({ column, row }) => {
      const [x, y] = [(column + 0.5) / 32, (row + 0.5) / 18];
      return x > 0.1 && x < 0.6 && y > 0.1 && y < 0.8;
    });
    expect(zone.cells).toEqual(inside);
    await expect(
      zoneHeatMap(parts.statistics, { zoneId: "line-0002", range, classes: null }),
    ).rejects.toMatchObject({
      code: "ZONE_NOT_A_POLYGON",
    });
  });
});

describe("what a camera saw", () => {
  it("comes newest first, each detection once over all pages, frames never cut", async () => {
    const cameraId = city.cameraIds[0] as string;
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await recentDetections(parts.perception, cameraId, {
        minutes: 60,
        limit: 9,
        ...(after === null ? {} : { after }),
      });
      seen.push(...page.detections.map(({ capturedAtMs, trackId }) => `${capturedAtMs} ${trackId}`));
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual(seen.toSorted((a, b) => (a < b ? 1 : -1)));
    expect(new Set(seen).size).toBe(
      await scalar(
        "SELECT count(*) FROM detection WHERE camera_no = $1 AND captured_at >= $2 AND captured_at <= $3",
        [city.cameraNos[0], new Date(TO_MS + 1 - HOUR_MS), new Date(TO_MS)],
      ),
    );
    expect(seen.length).toBe(new Set(seen).size);
    const tracks = await recentTracks(parts.perception, cameraId, { minutes: 60, limit: 2 });
    const more = await recentTracks(parts.perception, cameraId, {
      minutes: 60,
      limit: 2,
      after: tracks.next ?? "",
    });
    expect(more.tracks[0]?.firstSeenAtMs).toBeLessThanOrEqual(tracks.tracks[1]?.firstSeenAtMs ?? 0);
    expect(more).toMatchObject({ fromMs: tracks.fromMs, toMs: tracks.toMs });
  });
});

describe("a search of tracks", () => {
  const range = { fromMs: TO_MS - DAY_MS, toMs: TO_MS };

  it("finds by class and way, page by page, each once", async () => {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const page = await searchTracks(parts.perception, {
        ...range,
        class: ["car"],
        heading: "up",
        limit: 10,
        ...(after === null ? {} : { after }),
      });
      ids.push(...page.tracks.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(
      await scalar(
        `SELECT count(*) FROM track WHERE first_seen_at < $2 AND last_seen_at >= $1 AND class_code = 3
         AND (heading_deg >= 315 OR heading_deg < 45)`,
        asTimes(range),
      ),
    );
    expect(ids.length).toBeGreaterThan(20);
  });

  it("finds the visits of a zone with the track of each, and the crossings of a line in one direction", async () => {
    const inZone = await searchTracks(parts.perception, {
      ...range,
      zoneId: "polygon-0004",
      limit: 500,
      path: true,
    });
    const visits = await scalar(
      "SELECT count(*) FROM zone_visit WHERE zone_no = $3 AND entered_at < $2 AND left_at >= $1",
      [...asTimes(range), city.zoneNos[4]],
    );
    expect(inZone.tracks).toHaveLength(visits);
    expect(inZone.tracks[0]).toMatchObject({
      cameraId: "cam-0004",
      crossing: null,
      path: [
        [0, 0.1, 0.2],
        [5000, 0.5, 0.6],
      ],
    });
    const [first] = inZone.tracks;
    expect(first?.visit?.enteredAtMs).toBe((first?.firstSeenAtMs ?? 0) + 1_000);
    const crossed = await searchTracks(parts.perception, {
      ...range,
      ruleId: city.ruleIds[4] ?? "",
      crossed: "right_to_left",
    });
    expect(crossed.tracks.every(({ crossing }) => crossing?.direction === "right_to_left")).toBe(true);
    expect(crossed.tracks.length).toBeGreaterThan(0);
  });

  it("gives negative ids of the edge as they are", async () => {
    const id = "-9007199254740993";
    await database.pool.query("INSERT INTO track VALUES ($1, $1, $2, $3, 1, 3, 5000, NULL, '[[0,1,1]]')", [
      new Date(TO_MS - 1_000),
      id,
      city.cameraNos[0],
    ]);
    const found = await searchTracks(parts.perception, { ...range, limit: 1 });
    expect(found.tracks[0]?.id).toBe(id);
    const next = await searchTracks(parts.perception, { ...range, limit: 1, after: found.next ?? "" });
    expect(next.tracks[0]?.id).not.toBe(id);
  });

  it("refuses what cannot be meant", async () => {
    const refused = (query: object): Promise<unknown> =>
      searchTracks(parts.perception, { ...range, ...query });
    await expect(refused({ crossed: "left_to_right" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await expect(refused({ zoneId: "polygon-0001", ruleId: "rule-0001" })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
    await expect(refused({ fromMs: 0 })).rejects.toMatchObject({ code: "TIME_RANGE_TOO_LONG" });
    await expect(refused({ zoneId: "nowhere" })).rejects.toMatchObject({ code: "ZONE_NOT_FOUND" });
  });
});

describe("sensors", () => {
  const no = (): number => city.datastreamNos[1] as number;

  it("say which of their last values are too old to be shown as live", async () => {
    await database.pool.query("UPDATE datastream SET last_at = $1 WHERE no = $2", [
      new Date(TO_MS - 16 * MINUTE_MS),
      city.datastreamNos[0],
    ]);
    await database.pool.query("UPDATE datastream SET expected_interval_ms = NULL");
    const first = await pageSensorStates(parts.states, { limit: 2 });
    expect(first.sensors[0]?.datastreams.map(({ stale, ageMs }) => [stale, ageMs])).toEqual([
      [true, 16 * MINUTE_MS],
      [false, 1_000],
    ]);
    await database.pool.query("UPDATE datastream SET expected_interval_ms = 6 * 60000 WHERE no = $1", [
      city.datastreamNos[0],
    ]);
    expect((await pageSensorStates(parts.states, { limit: 2 })).sensors[0]?.datastreams[0]?.stale).toBe(
      false,
    );
    const second = await pageSensorStates(parts.states, { limit: 2, after: first.next ?? "" });
    expect(second.sensors.map(({ id }) => id)).toEqual(["sensor-0002"]);
    expect(second.next).toBeNull();
  });

  it("give their values, or sums of as many", async () => {
    const range = { fromMs: TO_MS - 6 * HOUR_MS, toMs: TO_MS };
    const raw = await readSeries(parts.series, { sensorId: "sensor-0000", no: no(), range, points: 2_000 });
    expect(raw.bucketMs).toBe(0);
    const rolled = await readSeries(parts.series, { sensorId: "sensor-0000", no: no(), range, points: 12 });
    expect(rolled.bucketMs).toBe(HOUR_MS);
    const inside = await scalar(
      "SELECT count(*) FROM observation WHERE datastream_no = $3 AND captured_at >= $1 AND captured_at < $2",
      [...asTimes(rolled), no()],
    );
    expect(rolled.points.reduce((sum, { n }) => sum + n, 0)).toBe(inside);
    expect(raw.gaps).toEqual([]);
    await expect(
      readSeries(parts.series, { sensorId: "sensor-0001", no: no(), range, points: 5 }),
    ).rejects.toMatchObject({
      code: "DATASTREAM_NOT_FOUND",
    });
  });

  it("mark their gaps, and those that an outbox had to give up", async () => {
    const [lostFromMs, lostToMs] = [TO_MS - 3 * HOUR_MS, TO_MS - 2 * HOUR_MS];
    const stream = city.datastreamNos[2] as number;
    await database.pool.query(
      "DELETE FROM observation WHERE datastream_no = $3 AND captured_at >= $1 AND captured_at < $2",
      [new Date(lostFromMs), new Date(lostToMs), stream],
    );
    const range = { fromMs: TO_MS - 4 * HOUR_MS, toMs: TO_MS };
    const asked = { sensorId: "sensor-0001", no: stream, range, points: 2_000 };
    const silent = await readSeries(parts.series, asked);
    expect(silent.gaps.map(({ reason }) => reason)).toEqual(["no_data"]);
    await database.pool.query(
      `INSERT INTO edge_event (captured_at, agent_at, seq, source_no, type_code, subject_id, body)
       VALUES ($1, $1, 999999, 1, 11, $2, $3)`,
      [
        new Date(TO_MS),
        city.agentId,
        JSON.stringify({ lost: { observation: 3 }, fromMs: lostFromMs, toMs: lostToMs - 1, reason: "full" }),
      ],
    );
    expect((await readSeries(parts.series, asked)).gaps.map(({ reason }) => reason)).toEqual([
      "lost_at_edge",
    ]);
  });
});

describe("events of a device", () => {
  it("come newest first by type and page", async () => {
    const asked = { subjectId: "cam-0003", range: { fromMs: FROM_MS, toMs: TO_MS }, types: null, limit: 25 };
    const first = await pageDeviceEvents(parts.events, { ...asked, after: null });
    const second = await pageDeviceEvents(parts.events, { ...asked, after: first.next });
    const third = await pageDeviceEvents(parts.events, { ...asked, after: second.next });
    expect([first, second, third].map(({ events }) => events.length)).toEqual([25, 25, 10]);
    expect(third.next).toBeNull();
    const motion = await pageDeviceEvents(parts.events, { ...asked, types: ["camera_motion"], after: null });
    expect(motion.events).toHaveLength(20);
    expect(motion.events[0]).toMatchObject({
      type: "camera_motion",
      agentId: "agent-seed",
      boot: "00000000000000aa",
    });
  });
});

describe("connections for questions", () => {
  it("end what takes too long and compile nothing", async () => {
    const settings = await questions.query(
      "SELECT current_setting('statement_timeout') AS longest, current_setting('jit') AS jit",
    );
    expect(settings.rows[0]).toEqual({ longest: "5s", jit: "off" });
  });
});
