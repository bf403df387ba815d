/**
 * The API's questions over 10 million detections of 500 cameras in 24 hours, asked through its own stores, 200 times each
 * with other parameters; against a bare SELECT of as many rows by primary key on the same connection, in the same run.
 *
 *   npm run bench:queries                              (the embedded PostgreSQL)
 *   DATABASE_URL=postgres://postgres@host/postgres npm run bench:queries   (a database of its own there, dropped after)
 *   npm run bench:queries -- 1000000                   (fewer detections)
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ObjectClass } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { createLogger, createPool, EmbeddedPostgres, migrate, type Pool } from "@huishi/platform";
import { createQuestionPool } from "../services/api/src/adapters/postgres/question-pool.ts";
import { PostgresRuleStore } from "../services/api/src/adapters/postgres/rule-store.ts";
import { PostgresZoneStore } from "../services/api/src/adapters/postgres/zone-store.ts";
import { pageDeviceEvents } from "../services/api/src/application/device-events.ts";
import { pageCameraStates, pageSensorStates } from "../services/api/src/application/device-states.ts";
import { recentDetections, recentTracks, searchTracks } from "../services/api/src/application/perception.ts";
import { readSeries } from "../services/api/src/application/sensor-series.ts";
import { countRows, zoneHeatMap } from "../services/api/src/application/statistics.ts";
import { dwellTimes, flowsBetween, occupancyOf } from "../services/api/src/application/zone-statistics.ts";
import { questionParts } from "../services/api/src/compose-questions.ts";
import { rollUp } from "../services/api/src/test-support/roll-up.ts";
import { type City, seedCity } from "../services/api/src/test-support/seed-city.ts";
import { quantile } from "./support/statistics.ts";

const DETECTIONS = Number(process.argv[2] ?? 10_000_000);
const ROUNDS = Number(process.argv[3] ?? 200);
/** No new question is begun after this long. */
const LONGEST_RUN_MS = 345_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** How far the sums are behind, as in normal running: their last two minutes come from the rows. */
const NOT_ROLLED_MS = 2 * MINUTE_MS;

const toMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const fromMs = toMs - 24 * HOUR_MS;
const logger = createLogger({ name: "bench", level: "error" });
const startedAtMs = performance.now();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const secondsSince = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
const pickSome = <T>(from: readonly T[], count: number): T[] => [
  ...new Set(Array.from({ length: count }, () => pick(from))),
];
const CLASSES = ["person", "car", "truck"] as const satisfies ObjectClass[];

/** A random range of that length within the day, or the day's last part. */
function within(lengthMs: number): { fromMs: number; toMs: number } {
  const startMs =
    Math.random() < 0.5 ? toMs - lengthMs : fromMs + Math.floor(Math.random() * (24 * HOUR_MS - lengthMs));
  return { fromMs: startMs, toMs: startMs + lengthMs };
}

interface Asked {
  readonly name: string;
  readonly targetMs: number;
  /** Asks once and says how many rows came back. */
  readonly ask: () => Promise<number>;
}

/** Every listed question; the clock stands at the end of the rows. */
function questions(pool: Pool, city: City): Asked[] {
  const clock = { nowMs: () => toMs };
  const zones = new PostgresZoneStore(pool);
  const parts = questionParts({ pool, questions: pool, clock, zones });
  const rules = new PostgresRuleStore(pool, pool);
  const { perception, statistics } = parts;
  const camera = (): string => pick(city.cameraIds);
  const minutes = (): number => 1 + Math.floor(Math.random() * 60);
  const question = (name: string, ask: () => Promise<number>, targetMs = 60): Asked => ({
    name,
    targetMs,
    ask,
  });
  const counted = (name: string, query: () => Parameters<typeof countRows>[1]): Asked =>
    question(`counts: ${name}`, async () => (await countRows(statistics, query())).points.length, 120);
  const searched = (name: string, query: () => Partial<Parameters<typeof searchTracks>[1]>): Asked =>
    question(
      `track search: ${name}`,
      async () => (await searchTracks(perception, { ...within(6 * HOUR_MS), ...query() })).tracks.length,
    );
  return [
    question("last 1..60 minutes of a camera: detections", async () => {
      return (await recentDetections(perception, camera(), { minutes: minutes() })).detections.length;
    }),
    question("last 1..60 minutes of a camera: tracks", async () => {
      return (await recentTracks(perception, camera(), { minutes: minutes() })).tracks.length;
    }),
    counted("all, by minute, 24 h", () => ({ what: "detections", by: "minute", fromMs, toMs })),
    counted("classes, by minute, 24 h", () => ({
      what: "detections",
      by: "minute",
      groupBy: "class",
      fromMs,
      toMs,
    })),
    counted("10 cameras, by minute, 6 h", () => ({
      what: "detections",
      by: "minute",
      groupBy: "camera",
      ...within(6 * HOUR_MS),
      cameraId: pickSome(city.cameraIds, 10),
    })),
    counted("every camera, by hour, 24 h", () => ({
      what: "detections",
      by: "hour",
      groupBy: "camera",
      fromMs,
      toMs,
      limit: 20_000,
    })),
    counted("classes of a district, by hour, 24 h", () => ({
      what: "detections",
      by: "hour",
      groupBy: "class",
      fromMs,
      toMs,
      areaId: [`district-${Math.floor(Math.random() * 5)}`],
    })),
    counted("districts, by day", () => ({
      what: "detections",
      by: "day",
      groupBy: "area",
      fromMs,
      toMs,
      timeZone: "Asia/Shanghai",
      areaId: ["district-0", "district-1", "district-2"],
    })),
    counted("tracks, by minute, 24 h", () => ({
      what: "tracks",
      by: "minute",
      fromMs,
      toMs,
      class: [pick(CLASSES)],
    })),
    counted("visits of 20 zones, by hour, 24 h", () => ({
      what: "visits",
      by: "hour",
      groupBy: "zone",
      fromMs,
      toMs,
      zoneId: pickSome(city.zoneIds, 20),
    })),
    counted("crossings of every line, by hour, 24 h", () => ({
      what: "crossings",
      by: "hour",
      groupBy: "line",
      fromMs,
      toMs,
      limit: 20_000,
    })),
    question(
      "crossings of a rule's line, 24 h to the millisecond",
      async () => {
        const range = { fromMs: fromMs + Math.floor(Math.random() * MINUTE_MS), toMs };
        return (await rules.countCrossings({ ruleId: pick(city.ruleIds), ...range })).length;
      },
      120,
    ),
    counted("classes and directions of 20 lines, by hour, 24 h", () => ({
      what: "crossings",
      by: "hour",
      groupBy: "line_class",
      fromMs,
      toMs,
      ruleId: pickSome(city.ruleIds, 20),
    })),
    question("stays in a zone, 24 h", async () => {
      return (await dwellTimes(statistics, { fromMs, toMs, zoneId: [pick(city.zoneIds)] })).distributions
        .length;
    }),
    question(
      "stays in 20 zones, by zone and class, 24 h",
      async () => {
        const zoneId = pickSome(city.zoneIds, 20);
        return (await dwellTimes(statistics, { fromMs, toMs, zoneId, groupBy: "zone_class" })).distributions
          .length;
      },
      120,
    ),
    question("objects at once in a zone, by minute, 24 h", async () => {
      const zoneId = [pick(city.zoneIds)];
      return (await occupancyOf(statistics, { fromMs, toMs, by: "minute", zoneId })).points.length;
    }),
    question(
      "objects at once in 20 zones, three classes, by hour, 24 h",
      async () => {
        const zoneId = pickSome(city.zoneIds, 20);
        const asked = { fromMs, toMs, by: "hour" as const, zoneId, class: [...CLASSES] };
        return (await occupancyOf(statistics, asked)).points.length;
      },
      120,
    ),
    question("ways between a camera's zones, 24 h", async () => {
      return (await flowsBetween(statistics, { fromMs, toMs, cameraId: camera(), byClass: true })).flows
        .length;
    }),
    question("heat map of a zone, 24 h", async () => {
      const asked = { zoneId: pick(city.zoneIds), range: { fromMs, toMs }, classes: [pick(CLASSES)] };
      return (await zoneHeatMap(statistics, asked)).cells.length;
    }),
    question("latest state: cameras, page of 500", async () => {
      return (await pageCameraStates(parts.states, { limit: 500 })).cameras.length;
    }),
    question("latest state: sensors, page of 100", async () => {
      return (await pageSensorStates(parts.states, {})).sensors.length;
    }),
    question("sensor series, 1 h", async () => seriesPoints(parts, city, within(HOUR_MS))),
    question("sensor series, 24 h", async () => seriesPoints(parts, city, { fromMs, toMs })),
    searched("class and way", () => ({ class: [pick(CLASSES)], heading: pick(["up", "left"]) })),
    searched("cameras and duration", () => ({ cameraId: pickSome(city.cameraIds, 5), minDurationMs: 1_000 })),
    searched("zone and class", () => ({ zoneId: pick(city.zoneIds), class: [pick(CLASSES)] })),
    searched("line and its direction", () => ({
      ruleId: pick(city.ruleIds),
      crossed: pick(["left_to_right", "right_to_left"]),
    })),
    question("events of a device, 24 h", async () => {
      const asked = { subjectId: camera(), range: { fromMs, toMs }, types: null, after: null, limit: 100 };
      return (await pageDeviceEvents(parts.events, asked)).events.length;
    }),
  ];
}

async function seriesPoints(
  { series }: ReturnType<typeof questionParts>,
  city: City,
  range: { fromMs: number; toMs: number },
): Promise<number> {
  const index = Math.floor(Math.random() * city.datastreamNos.length);
  const sensorId = `sensor-${String(Math.floor(index / 2)).padStart(4, "0")}`;
  const no = city.datastreamNos[index] as number;
  return (await readSeries(series, { sensorId, no, range, points: 500 })).points.length;
}

async function timed(ask: () => Promise<number>): Promise<{ ms: number; rows: number }> {
  const sinceMs = performance.now();
  const rows = await ask();
  return { ms: performance.now() - sinceMs, rows };
}

const BARE_ROWS = 50_000;

/** As many rows of a narrow table, by its primary key: what the driver, the protocol and a page of rows cost. */
async function askBare(pool: Pool, rows: number): Promise<number> {
  const from = Math.floor(Math.random() * (BARE_ROWS - rows));
  const found = await pool.query("SELECT * FROM bare WHERE id >= $1 AND id < $2", [
    from,
    from + Math.max(1, rows),
  ]);
  return found.rows.length;
}

async function measure(pool: Pool, asked: readonly Asked[]): Promise<boolean> {
  await pool.query(`CREATE TABLE bare AS SELECT i AS id, i * 2 AS a, i * 3 AS b, i / 7.0::float8 AS c, 'key-' || i AS d
                    FROM generate_series(0, ${BARE_ROWS}) AS i`);
  await pool.query("ALTER TABLE bare ADD PRIMARY KEY (id)");
  await pool.query("VACUUM ANALYZE bare");
  let isGood = true;
  say(`${"question".padEnd(52)}  rows   p50    p95   target  bare p95  ratio`);
  for (const { name, targetMs, ask } of asked) {
    for (let warm = 0; warm < 5; warm++) await ask();
    const [times, bare, rows]: number[][] = [[], [], []];
    for (let round = 0; round < ROUNDS && performance.now() - startedAtMs < LONGEST_RUN_MS; round++) {
      const answer = await timed(ask);
      times?.push(answer.ms);
      rows?.push(answer.rows);
      bare?.push((await timed(() => askBare(pool, answer.rows))).ms);
    }
    const [p50, p95, bareP95] = [
      quantile(times ?? [], 0.5),
      quantile(times ?? [], 0.95),
      quantile(bare ?? [], 0.95),
    ];
    const missed = !(p95 <= targetMs) || (times ?? []).length < ROUNDS;
    if (missed) isGood = false;
    say(
      `${name.padEnd(52)} ${String(Math.round(quantile(rows ?? [], 0.5))).padStart(5)} ${p50.toFixed(1).padStart(6)} ${p95.toFixed(1).padStart(6)} ${String(targetMs).padStart(7)} ${bareP95.toFixed(1).padStart(8)} ${(p95 / bareP95).toFixed(1).padStart(7)}${missed ? `  MISSED (n = ${times?.length})` : ""}`,
    );
  }
  return isGood;
}

async function run(databaseUrl: string): Promise<boolean> {
  const { mode } = await migrate(databaseUrl, logger);
  const writer = createPool(databaseUrl, {
    max: 1,
    statementTimeoutMs: 240_000,
    applicationName: "huishi-bench",
  });
  const reader = createQuestionPool(databaseUrl, { max: 1, logger });
  try {
    const version = await writer.query<{ server_version: string }>("SHOW server_version");
    say(
      `PostgreSQL ${version.rows[0]?.server_version}, mode ${mode}; clock ${new Date(systemClock.nowMs()).toISOString()}`,
    );
    let sinceMs = performance.now();
    const share = DETECTIONS / 10_000_000;
    const city = await seedCity(writer, {
      cameras: 500,
      datastreams: 200,
      fromMs,
      toMs,
      detections: DETECTIONS,
      tracks: 200_000 * share,
      visits: 200_000 * share,
      crossings: 100_000 * share,
      observations: 1_000_000 * share,
      events: 50_000 * share,
    });
    say(`${DETECTIONS} detections and the rest made in ${secondsSince(sinceMs)}`);
    sinceMs = performance.now();
    await rollUp(writer, toMs - NOT_ROLLED_MS);
    say(`rolled up in ${secondsSince(sinceMs)}`);
    sinceMs = performance.now();
    await writer.query("VACUUM (ANALYZE)");
    say(`vacuumed and analysed in ${secondsSince(sinceMs)}`);
    return await measure(reader, questions(reader, city));
  } finally {
    await reader.end();
    await writer.end();
  }
}

/** On a server that is there: a database of its own, dropped whatever happens. */
async function runOnServer(serverUrl: string): Promise<boolean> {
  const name = `huishi_bench_${randomBytes(4).toString("hex")}`;
  const admin = createPool(serverUrl, { max: 1, statementTimeoutMs: 60_000 });
  try {
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    try {
      return await run(url.href);
    } finally {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  } finally {
    await admin.end();
  }
}

async function runEmbedded(): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
  const database = await EmbeddedPostgres.start({ dataDir: path.join(folder, "database"), logger });
  try {
    return await run(database.databaseUrl);
  } finally {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const serverUrl = process.env["DATABASE_URL"];
const isGood = await (serverUrl ? runOnServer(serverUrl) : runEmbedded());
say(`all in ${secondsSince(startedAtMs)}: ${isGood ? "every p95 within its target" : "a target was MISSED"}`);
if (!isGood) process.exitCode = 1;
