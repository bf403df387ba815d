import type { TimeRange } from "@huishi/contracts";
import { type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TracksAsked } from "../../../application/perception.ts";
import type { CountsAsked } from "../../../application/statistics.ts";
import type { DwellAsked, FlowsAsked, OccupancyAsked } from "../../../application/zone-statistics.ts";
import { chooseRollup, type CountShape } from "../../../domain/count-plan.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../domain/time-range.ts";
import { explain, findFaults, readChunks } from "../../../test-support/explain.ts";
import { rollUp } from "../../../test-support/roll-up.ts";
import { type City, seedCity } from "../../../test-support/seed-city.ts";
import { deviceEventQuestion } from "../device-event-store.ts";
import { cameraStateQuestion, sensorStateQuestion } from "../device-state-store.ts";
import { countQuestion } from "./count-question.ts";
import { detectionQuestion } from "./detection-question.ts";
import { heatQuestion } from "./heat-question.ts";
import { lineCountQuestion } from "./line-count-question.ts";
import type { Question } from "./question.ts";
import { bucketsQuestion, lossesQuestion, valuesQuestion } from "./series-question.ts";
import { trackQuestion } from "./track-question.ts";
import { dwellQuestion, flowsQuestion, occupancyQuestion } from "./zone-questions.ts";

/** Ten days to noon: eleven chunks a day long, two or three of a week. */
const TO_MS = Date.UTC(2026, 9, 30, 12);
const FROM_MS = TO_MS - 10 * DAY_MS;
/** The newest half hour is not rolled up yet. */
const ROLLED_MS = TO_MS - 30 * MINUTE_MS;

const LAST_DAY = { fromMs: TO_MS - DAY_MS, toMs: TO_MS };
const LAST_HOURS = { fromMs: TO_MS - 6 * HOUR_MS, toMs: TO_MS };
/** Old enough to be compressed where the database does that. */
const OLD_DAY = { fromMs: FROM_MS + DAY_MS, toMs: FROM_MS + 2 * DAY_MS };

let database: TestDatabase;
let city: City;
let chunks: Awaited<ReturnType<typeof readChunks>>;

beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  city = await seedCity(pool, {
    cameras: 50,
    datastreams: 40,
    fromMs: FROM_MS,
    toMs: TO_MS,
    detections: 200_000,
    tracks: 20_000,
    visits: 20_000,
    crossings: 20_000,
    observations: 100_000,
    events: 20_000,
  });
  await rollUp(pool, ROLLED_MS);
  const mode = await pool.query<{ mode: string }>("SELECT huishi_store.mode() AS mode");
  if (mode.rows[0]?.mode === "tsl") {
    for (const series of [
      "detection",
      "observation",
      "edge_event",
      "zone_visit",
      "zone_occupancy",
      "zone_flow",
      "line_crossing",
    ]) {
      await pool.query(
        `SELECT compress_chunk(chunk) FROM show_chunks('${series}', older_than => $1::timestamptz) AS chunk`,
        [new Date(TO_MS - 2 * DAY_MS)],
      );
    }
  }
  await pool.query("ANALYZE");
  chunks = await readChunks(pool);
}, 180_000);

afterAll(async () => {
  await database.drop();
});

/** Slack around a question's range: whole chunks at its ends, tracks that began a day before. */
async function expectGoodPlan(question: Question, range: TimeRange, slackMs = 0): Promise<void> {
  const plan = await explain(database.pool, question);
  const looked = { fromMs: range.fromMs - slackMs, toMs: range.toMs };
  expect(findFaults(plan, chunks, looked), plan.text).toEqual([]);
}

function counts(shape: Partial<CountShape>, range: TimeRange, rest: Partial<CountsAsked> = {}): Question {
  const full: CountShape = {
    what: "detections",
    by: "minute",
    groupBy: "none",
    byCamera: false,
    byClass: false,
    byZone: false,
    byLine: false,
    ...shape,
  };
  return countQuestion({
    rollup: chooseRollup(full),
    what: full.what,
    by: full.by,
    groupBy: full.groupBy,
    range,
    timeZone: "Asia/Shanghai",
    scope: null,
    scopeRestricts: false,
    classes: null,
    after: null,
    limit: 5001,
    ...rest,
  });
}

const cameraScope = (count: number): Pick<CountsAsked, "scope" | "scopeRestricts"> => ({
  scope: { members: city.cameraNos.slice(0, count), keys: city.cameraIds.slice(0, count) },
  scopeRestricts: true,
});

const tracks = (asked: Partial<TracksAsked>): Question =>
  trackQuestion({
    range: LAST_DAY,
    cameraNos: null,
    classes: null,
    zoneId: null,
    ruleId: null,
    crossed: null,
    heading: null,
    minDurationMs: null,
    withPath: false,
    before: null,
    limit: 101,
    ...asked,
  });

describe("the judge of plans", () => {
  it("refuses sequential scans over several chunks, chunks outside of the range, and functions it cannot look into", async () => {
    const faultsOf = async (text: string, range: TimeRange): Promise<string[]> =>
      findFaults(await explain(database.pool, { text, values: [] }), chunks, range);
    const days = { fromMs: TO_MS - 2 * DAY_MS, toMs: TO_MS };
    const recent = `captured_at >= to_timestamp(${days.fromMs / 1000}) AND captured_at < to_timestamp(${days.toMs / 1000})`;
    const unindexed = await faultsOf(`SELECT count(*) FROM detection WHERE ${recent} AND score = 1`, days);
    expect(unindexed).toEqual([expect.stringMatching(/^sequential scans over \d chunks of detection/)]);
    const outside = await faultsOf(`SELECT count(*) FROM detection WHERE camera_no = 1 AND ${recent}`, {
      fromMs: TO_MS - HOUR_MS,
      toMs: TO_MS,
    });
    expect(outside.some((fault) => fault.endsWith("lies outside of the range"))).toBe(true);
    const opaque = await faultsOf("SELECT * FROM huishi_store.series_chunks('track')", days);
    expect(opaque).toEqual(["function series_chunks was not inlined"]);
  });
});

describe("the plan of a question about what cameras saw looks at its own chunks only, by an index", () => {
  it("detections of a camera's last minutes, first and later pages", async () => {
    const range = { fromMs: TO_MS - HOUR_MS, toMs: TO_MS };
    const asked = { cameraNo: city.cameraNos[3] as number, range, beforeMicros: null, limit: 500 };
    await expectGoodPlan(detectionQuestion(asked), range);
    const beforeMicros = `${TO_MS - 30 * MINUTE_MS}000`;
    await expectGoodPlan(detectionQuestion({ ...asked, beforeMicros }), range);
  });

  it("detections of a day that is compressed where the database does that", async () => {
    const asked = { cameraNo: city.cameraNos[3] as number, range: OLD_DAY, beforeMicros: null, limit: 500 };
    await expectGoodPlan(detectionQuestion(asked), OLD_DAY);
  });

  it.each<[string, () => Partial<TracksAsked>]>([
    ["by time", () => ({})],
    ["by class and way", () => ({ classes: ["truck"], heading: "up" })],
    [
      "by camera, a later page",
      () => ({
        cameraNos: city.cameraNos.slice(0, 1),
        before: { micros: `${TO_MS - HOUR_MS}000`, trackId: "5000" },
      }),
    ],
    ["by cameras and duration", () => ({ cameraNos: city.cameraNos.slice(0, 5), minDurationMs: 1_000 })],
    ["by zone", () => ({ zoneId: city.zoneIds[4] ?? "", classes: ["person"] })],
    [
      "by zone and way, an old day",
      () => ({ range: OLD_DAY, zoneId: city.zoneIds[4] ?? "", heading: "left" }),
    ],
    ["by line", () => ({ ruleId: city.ruleIds[4] ?? "", crossed: "left_to_right" })],
    ["by line, an old day", () => ({ range: OLD_DAY, ruleId: city.ruleIds[4] ?? "" })],
  ])("tracks %s", async (_name, asked) => {
    const question = asked();
    await expectGoodPlan(tracks(question), question.range ?? LAST_DAY, 2 * DAY_MS);
  });

  it("events of a device", async () => {
    const asked = {
      subjectId: city.cameraIds[7] ?? "",
      range: LAST_DAY,
      types: null,
      before: null,
      limit: 101,
    };
    await expectGoodPlan(deviceEventQuestion(asked), LAST_DAY);
    const before = { micros: `${TO_MS - HOUR_MS}000`, sourceNo: "1", seq: "10" };
    await expectGoodPlan(deviceEventQuestion({ ...asked, types: ["camera_motion"], before }), LAST_DAY);
  });
});

describe("the plan of a question about counts reads sums, and rows only of what is not rolled up yet", () => {
  it.each<[string, () => Question, TimeRange]>([
    ["all detections by minute", () => counts({}, LAST_HOURS), LAST_HOURS],
    ["classes by minute", () => counts({ groupBy: "class" }, LAST_HOURS), LAST_HOURS],
    ["all detections by hour", () => counts({ by: "hour" }, LAST_DAY), LAST_DAY],
    ["all detections by day", () => counts({ by: "day" }, LAST_DAY), LAST_DAY],
    [
      "cameras by minute",
      () => counts({ groupBy: "camera", byCamera: true }, LAST_HOURS, cameraScope(5)),
      LAST_HOURS,
    ],
    ["one camera by hour", () => counts({ by: "hour", byCamera: true }, LAST_DAY, cameraScope(1)), LAST_DAY],
    [
      "classes of cameras by minute",
      () =>
        counts({ groupBy: "class", byCamera: true, byClass: true }, LAST_HOURS, {
          ...cameraScope(3),
          classes: ["car"],
        }),
      LAST_HOURS,
    ],
    ["tracks by hour", () => counts({ what: "tracks", by: "hour" }, LAST_DAY), LAST_DAY],
    [
      "tracks of cameras by minute",
      () => counts({ what: "tracks", byCamera: true }, LAST_HOURS, cameraScope(4)),
      LAST_HOURS,
    ],
    [
      "visits of zones by hour",
      () =>
        counts({ what: "visits", by: "hour", groupBy: "zone", byZone: true }, LAST_DAY, {
          scope: { members: city.zoneNos.slice(0, 3), keys: city.zoneIds.slice(0, 3) },
          scopeRestricts: true,
        }),
      LAST_DAY,
    ],
    [
      "crossings of lines by minute, a later page",
      () =>
        counts({ what: "crossings", groupBy: "line", byLine: true }, LAST_HOURS, {
          scope: { members: city.ruleIds.slice(0, 3), keys: city.ruleIds.slice(0, 3) },
          scopeRestricts: true,
          after: { atMs: LAST_HOURS.fromMs + HOUR_MS, key: "rule-0001" },
        }),
      LAST_HOURS,
    ],
  ])("%s", async (_name, question, range) => {
    await expectGoodPlan(question(), range, HOUR_MS);
  });

  it("a heat map", async () => {
    const asked = {
      cameraNo: city.cameraNos[1] as number,
      range: LAST_DAY,
      classes: null,
      cells: [1, 2, 3, 40, 41],
      byClass: false,
    };
    await expectGoodPlan(heatQuestion(asked), LAST_DAY);
    await expectGoodPlan(heatQuestion({ ...asked, range: OLD_DAY, cells: null }), OLD_DAY);
  });

  it("classes of lines", async () => {
    const asked = counts({ what: "crossings", by: "hour", groupBy: "line_class", byLine: true }, LAST_DAY, {
      scope: { members: city.ruleIds.slice(0, 3), keys: city.ruleIds.slice(0, 3) },
      scopeRestricts: true,
    });
    await expectGoodPlan(asked, LAST_DAY, HOUR_MS);
  });

  it("a heat map by class", async () => {
    const asked = { cameraNo: city.cameraNos[1] as number, classes: null, cells: null, byClass: true };
    await expectGoodPlan(heatQuestion({ ...asked, range: LAST_DAY }), LAST_DAY);
  });

  it("crossings of one line in exactly a range", async () => {
    const range = { fromMs: LAST_DAY.fromMs + 12_345, toMs: TO_MS - 54_321 };
    await expectGoodPlan(lineCountQuestion(city.ruleIds[0] ?? "", range), range, HOUR_MS);
  });
});

describe("the plan of a question about zones", () => {
  const zones = (count: number) => ({
    members: city.zoneNos.slice(0, count),
    keys: city.zoneIds.slice(0, count),
  });

  it.each<[string, Partial<DwellAsked>, number]>([
    ["of one zone", {}, 1],
    [
      "by zone and class, a later page",
      { groupBy: "zone_class", after: { zone: "zone-0", objectClass: "" } },
      5,
    ],
    ["by class of some, an old day", { groupBy: "class", classes: ["car"], range: OLD_DAY }, 3],
  ])("stays %s", async (_name, asked, count) => {
    const range = asked.range ?? LAST_DAY;
    const whole = { range, groupBy: "none", classes: null, after: null, limit: 101, ...asked } as const;
    await expectGoodPlan(dwellQuestion({ ...whole, scope: zones(count) }), range, HOUR_MS);
  });

  it.each<[string, Partial<OccupancyAsked>, number]>([
    ["by minute", { range: LAST_HOURS }, 2],
    ["by hour and class", { by: "hour", classes: ["person", "car"] }, 5],
    ["by day, a later page", { by: "day", after: { atMs: LAST_DAY.fromMs, zone: "a", objectClass: "" } }, 3],
    ["by minute, an old day", { range: OLD_DAY }, 1],
  ])("objects at once %s", async (_name, asked, count) => {
    const range = asked.range ?? LAST_DAY;
    const shanghai = { timeZone: "Asia/Shanghai", classes: null, after: null, limit: 5_001 };
    const whole = { range, by: "minute", ...shanghai, ...asked } as const;
    await expectGoodPlan(occupancyQuestion({ ...whole, scope: zones(count) }), range, HOUR_MS);
  });

  it.each<[string, Partial<FlowsAsked>]>([
    ["of a camera", {}],
    [
      "of classes, within minutes, direct ones",
      { byClass: true, classes: ["car"], withinCode: 2, via: "direct" },
    ],
    ["an old day, a later page", { range: OLD_DAY, after: { from: "a", to: "b", objectClass: "" } }],
  ])("ways %s", async (_name, asked) => {
    const range = asked.range ?? LAST_DAY;
    const camera = { cameraNo: city.cameraNos[2] as number, classes: null, byClass: false, withinCode: null };
    const whole = { range, ...camera, via: "any", after: null, limit: 2_001, ...asked } as const;
    await expectGoodPlan(flowsQuestion(whole), range, HOUR_MS);
  });
});

describe("the plan of a question about sensors and states", () => {
  it("reads a series by its datastream, values and buckets alike", async () => {
    const asked = { datastreamNo: city.datastreamNos[2] as number, range: LAST_HOURS, limit: 501 };
    await expectGoodPlan(valuesQuestion(asked), LAST_HOURS);
    await expectGoodPlan(bucketsQuestion({ ...asked, bucketMs: 5 * MINUTE_MS }), LAST_HOURS);
    await expectGoodPlan(bucketsQuestion({ ...asked, range: LAST_DAY, bucketMs: 3 * HOUR_MS }), LAST_DAY);
    await expectGoodPlan(valuesQuestion({ ...asked, range: OLD_DAY }), OLD_DAY);
  });

  it("finds what an outbox lost by its agent", async () => {
    const later = { ...LAST_DAY, toMs: LAST_DAY.toMs + 8 * DAY_MS };
    await expectGoodPlan(lossesQuestion(city.agentId, LAST_DAY), later);
  });

  it("touches no series for the latest states", async () => {
    for (const question of [cameraStateQuestion, sensorStateQuestion]) {
      const plan = await explain(database.pool, question({ after: "cam-0001", limit: 101 }));
      expect(plan.nodes.filter((node) => chunks.has(node["Relation Name"] ?? ""))).toEqual([]);
    }
  });
});
