import { createAgent, createCamera, testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withTransaction } from "../postgres/pool.ts";
import { rebuildRollups, rolledSources, rollUp } from "./roll-up.ts";
import { addOccupancy, type OccupancyRow } from "./write-occupancy.ts";
import { type StoredTrack, writeTracks } from "./write-tracks.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const signal = new AbortController().signal;

let database: TestDatabase;
let cameraNo: number;
let zoneNos: number[];

beforeEach(async () => {
  database = await testDatabase();
  const { pool } = database;
  const agent = await createAgent(pool);
  const camera = await createCamera(pool, agent.id);
  cameraNo = await number(`SELECT no AS value FROM camera WHERE id = '${camera.id}'`);
  // Three stripes beside each other, from left to right.
  await pool.query(
    `INSERT INTO zone (id, camera_id, name, kind, points)
     SELECT 'zone-' || n, $1, 'stripe', 'polygon', jsonb_build_array(
       jsonb_build_object('x', n * 0.3, 'y', 0), jsonb_build_object('x', n * 0.3 + 0.3, 'y', 0),
       jsonb_build_object('x', n * 0.3 + 0.3, 'y', 1), jsonb_build_object('x', n * 0.3, 'y', 1))
     FROM generate_series(0, 2) AS n ORDER BY n`,
    [camera.id],
  );
  const zones = await pool.query<{ no: number }>("SELECT no FROM zone ORDER BY id");
  zoneNos = zones.rows.map(({ no }) => no);
});
afterEach(() => database.drop());

async function number(sql: string): Promise<number> {
  return Number((await database.pool.query<{ value: string }>(sql)).rows[0]?.value);
}
const rowsOf = async (sql: string): Promise<unknown[]> => (await database.pool.query(sql)).rows;

/** A track that stands `stayMs` in each of the given stripes, one after the other. */
function walk(id: number, firstSeenMs: number, stripes: readonly number[], stayMs: number): StoredTrack {
  const path = stripes.flatMap((stripe, index) => {
    const x = 1_500 + stripe * 3_000;
    return [
      [index * stayMs, x, 5_000],
      [(index + 1) * stayMs - SECOND, x, 5_000],
    ] as [number, number, number][];
  });
  const lastSeenMs = firstSeenMs + (path.at(-1)?.[0] ?? 0);
  const row = { id, cameraNo, classCode: 1, firstSeenMs, lastSeenMs, observations: 9, score: 8_000, path };
  return { ...row, ended: true };
}
const write = (...tracks: StoredTrack[]): Promise<void> =>
  withTransaction(database.pool, (client) => writeTracks(client, tracks));
const occupy = (...rows: OccupancyRow[]): Promise<void> =>
  withTransaction(database.pool, (client) => addOccupancy(client, rows));
const refresh = async (): Promise<void> => {
  for (const source of await rolledSources(database.pool)) await rollUp(database.pool, source, signal);
};

/** What each rollup says, and what the rows say. */
const TRUTHS = [
  [
    `SELECT bucket, from_zone_no, to_zone_no, direct, within_code, sum(flows)::int AS n
     FROM huishi_store.zone_flow_hour('-infinity', 'infinity') GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
    `SELECT huishi_store.time_bucket('1 hour', arrived_at) AS bucket, from_zone_no, to_zone_no, direct,
       (SELECT count(*) FROM unnest(ARRAY[1, 2, 5, 10, 30, 60]) AS m WHERE gap_ms > m * 60000)::smallint AS within_code,
       count(*)::int AS n FROM zone_flow GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
  ],
  [
    `SELECT bucket, zone_no, sum(visits)::int AS n, sum(dwell_ms_sum)::int AS dwell
     FROM huishi_store.zone_dwell_hour('-infinity', 'infinity') GROUP BY 1, 2 ORDER BY 1, 2`,
    `SELECT huishi_store.time_bucket('1 hour', entered_at) AS bucket, zone_no, count(*)::int AS n,
       sum(extract(epoch FROM left_at - entered_at) * 1000)::int AS dwell FROM zone_visit GROUP BY 1, 2 ORDER BY 1, 2`,
  ],
  [
    `SELECT bucket, zone_no, class_code, object_ms::int AS object_ms, watched_ms::int AS watched_ms, objects_max
     FROM huishi_store.zone_occupancy_hour('-infinity', 'infinity') ORDER BY 1, 2, 3`,
    `SELECT huishi_store.time_bucket('1 hour', minute) AS bucket, zone_no, class_code, sum(object_ms)::int AS object_ms,
       sum(watched_ms)::int AS watched_ms, max(objects_max)::int AS objects_max FROM zone_occupancy GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3`,
  ],
] as const;
async function expectTruth(): Promise<void> {
  for (const [rolled, raw] of TRUTHS) {
    const truth = await rowsOf(raw);
    expect(await rowsOf(rolled)).toEqual(truth);
    expect(truth.length).toBeGreaterThan(0);
  }
}

describe("ways between zones", () => {
  it("are written with a track's visits, once, with their gap", async () => {
    const at = Date.UTC(2026, 0, 1, 8);
    const track = walk(1, at, [0, 1, 2], 10 * SECOND);
    await write(track);
    await write(track);
    const [a, b, c] = zoneNos;
    expect(
      await rowsOf(
        "SELECT from_zone_no, to_zone_no, gap_ms, direct, arrived_at, class_code FROM zone_flow ORDER BY 1, 2",
      ),
    ).toEqual([
      // A visit ends at the first point outside: the next stripe's own first point.
      {
        from_zone_no: a,
        to_zone_no: b,
        gap_ms: 0,
        direct: true,
        arrived_at: new Date(at + 10 * SECOND),
        class_code: 1,
      },
      {
        from_zone_no: a,
        to_zone_no: c,
        gap_ms: 10 * SECOND,
        direct: false,
        arrived_at: new Date(at + 20 * SECOND),
        class_code: 1,
      },
      {
        from_zone_no: b,
        to_zone_no: c,
        gap_ms: 0,
        direct: true,
        arrived_at: new Date(at + 20 * SECOND),
        class_code: 1,
      },
    ]);
  });

  it("wait for the track's end", async () => {
    await write({ ...walk(1, Date.UTC(2026, 0, 1, 8), [0, 1], SECOND), ended: false });
    expect(await number("SELECT count(*) AS value FROM zone_flow")).toBe(0);
  });
});

describe("minutes of zones", () => {
  const minuteMs = Date.UTC(2026, 0, 1, 8);
  const row = {
    minuteMs,
    zoneId: "zone-1",
    classCode: 0,
    objectMs: 90_000,
    watchedMs: 30_000,
    objectsMax: 4,
  };

  it("add up what several looks saw, and keep the most at once", async () => {
    await occupy(row, { ...row, objectMs: 1_000, watchedMs: 1_000, objectsMax: 1 });
    await occupy({ ...row, objectMs: 10_000, watchedMs: 20_000, objectsMax: 6 });
    expect(await rowsOf("SELECT object_ms, watched_ms, objects_max, camera_no FROM zone_occupancy")).toEqual([
      { object_ms: "101000", watched_ms: 51_000, objects_max: 6, camera_no: cameraNo },
    ]);
  });

  it("of a zone that was deleted meanwhile are left out", async () => {
    await occupy(row, { ...row, zoneId: "gone" });
    expect(await number("SELECT count(*) AS value FROM zone_occupancy")).toBe(1);
  });
});

describe("the rollups of zones", () => {
  it("say what the rows say: before they are rolled up, after, and with what came late", async () => {
    const now = Math.floor(Date.now() / MINUTE) * MINUTE;
    const occupancy = (minuteMs: number, objectsMax = 3): OccupancyRow[] =>
      [0, 1].map((classCode) => ({
        minuteMs,
        zoneId: "zone-0",
        classCode,
        objectMs: 70_000,
        watchedMs: classCode === 0 ? MINUTE : 0,
        objectsMax,
      }));
    await write(
      walk(1, now - 5 * HOUR, [0, 1, 2, 0], 45 * SECOND),
      walk(2, now - 2 * MINUTE, [2, 1], 5 * SECOND),
    );
    await write(walk(3, now - 3 * HOUR, [0, 1, 2], 20 * MINUTE));
    await occupy(...occupancy(now - 5 * HOUR), ...occupancy(now - 2 * HOUR), ...occupancy(now - MINUTE));
    await expectTruth();
    await refresh();
    await expectTruth();
    await write(walk(4, now - 4 * HOUR, [1, 0, 1], 3 * MINUTE));
    await occupy(...occupancy(now - 5 * HOUR, 9), ...occupancy(now - 4 * HOUR));
    await refresh();
    await expectTruth();
    await rebuildRollups(database.pool, signal);
    await expectTruth();
  });

  it("put a stay into a bin of equal ratio, and what lasts longest into the last", async () => {
    const at = new Date(Date.UTC(2026, 0, 1, 8));
    const stays = [0, 100, 250, 272, 500, 1_000, 10_000, 3_600_000, 86_400_000, 40 * 86_400_000];
    await database.pool.query(
      `INSERT INTO zone_visit (entered_at, left_at, track_id, zone_no, camera_no, class_code)
       SELECT $1, $1::timestamptz + stay * interval '1 millisecond', stay, 7, 7, 1 FROM unnest($2::bigint[]) AS stay`,
      [at, stays],
    );
    const bins = await database.pool.query<{ bin: number }>(
      "SELECT bin FROM huishi_store.zone_dwell_hour('-infinity', 'infinity'), generate_series(1, visits) ORDER BY bin",
    );
    const expected = stays.map((stay) =>
      Math.min(159, Math.max(0, Math.floor(8 * Math.log2(Math.max(stay, 250) / 250) + 1e-9))),
    );
    expect(bins.rows.map(({ bin }) => bin)).toEqual(expected);
  });
});
