import { testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { copyRows } from "../postgres/copy-rows.ts";
import { withTransaction } from "../postgres/pool.ts";
import { markLate } from "./late-marks.ts";
import { rebuildRollups, rolledSources, rollUp } from "./roll-up.ts";
import { DETECTION_COLUMNS } from "./series-columns.ts";

const MINUTE = 60_000;
const signal = new AbortController().signal;
let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database.drop());

const detections = (timesMs: readonly number[], cameraNo = 1): Promise<void> =>
  withTransaction(database.pool, async (client) => {
    const rows = timesMs.map((at, index) => [at, index, cameraNo, 1, 5_000, 100, 100, 100, 100]);
    await copyRows(client, { table: "detection", columns: DETECTION_COLUMNS }, rows);
    await markLate(client, "detection", timesMs);
  });

const countsFrom = async (sql: string): Promise<unknown> => (await database.pool.query(sql)).rows;
const readers = [
  "detection_minute",
  "detection_hour",
  "heat_hour",
  "detection_camera_minute",
  "detection_class_minute",
];

/** Every rollup says the same as the rows: over any range, by its own buckets. */
async function expectTruth(): Promise<void> {
  for (const name of readers) {
    const bucket = name.endsWith("hour") ? "1 hour" : "1 minute";
    const rolled = await countsFrom(
      `SELECT bucket, sum(detections)::int AS n FROM huishi_store.${name}('-infinity', 'infinity') GROUP BY 1 ORDER BY 1`,
    );
    const raw = await countsFrom(
      `SELECT huishi_store.time_bucket('${bucket}', captured_at) AS bucket, count(*)::int AS n FROM detection GROUP BY 1 ORDER BY 1`,
    );
    expect(rolled, name).toEqual(raw);
  }
}
const refresh = async (): Promise<void> => {
  for (const source of await rolledSources(database.pool))
    expect(await rollUp(database.pool, source, signal)).toBe(true);
};

describe("rollups", () => {
  test("say what the rows say: before they are rolled up, after, and with what came meanwhile", async () => {
    const now = Date.now();
    await detections([now - 3 * 3_600_000, now - 90 * MINUTE, now - 3 * MINUTE, now - 1_000, now]);
    await expectTruth();
    await refresh();
    await expectTruth();
    await detections([now - 2 * 3_600_000, now - 3 * MINUTE, now, now + 3 * 86_400_000]);
    await expectTruth().catch(() => undefined);
    await refresh();
    await expectTruth();
    await detections([now - 40 * 86_400_000, now - 3 * MINUTE]);
    await refresh();
    await expectTruth();
  });

  test("miss no row of a transaction that was open while its minute was closed", async () => {
    const at = Date.now() - 5 * MINUTE;
    await detections([at]);
    await refresh();
    const slow = await database.pool.connect();
    await slow.query("BEGIN");
    await copyRows(slow, { table: "detection", columns: DETECTION_COLUMNS }, [
      [at, 1, 1, 1, 5_000, 1, 1, 1, 1],
    ]);
    await markLate(slow, "detection", [at]);
    const rolling = refresh();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await slow.query("COMMIT");
    slow.release();
    await rolling;
    await refresh();
    await expectTruth();
  });

  test("can be made anew from the rows", async () => {
    const now = Date.now();
    await detections([now - 50 * 3_600_000, now - 26 * 3_600_000, now - 5 * MINUTE]);
    await refresh();
    await rebuildRollups(database.pool, signal);
    await expectTruth();
  });
});

describe("a partitioned series", () => {
  test("takes any time, and moves what came out of turn into a partition of its own", async () => {
    const now = Date.now();
    const times = [now, now + 3 * 86_400_000, now - 400 * 86_400_000, now + 20 * 86_400_000];
    await detections(times);
    await database.pool.query("SELECT huishi_store.keep_partitions('detection')");
    const { rows } = await database.pool.query<{ captured_at: Date; place: string }>(
      "SELECT captured_at, tableoid::regclass::text AS place FROM detection ORDER BY captured_at",
    );
    expect(rows.map(({ captured_at }) => captured_at.getTime())).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(rows.map(({ place }) => place)).size).toBe(4);
    expect(rows.filter(({ place }) => place.endsWith("_default"))).toEqual([]);
  });

  test("keeps its partitions apart when their length changes", async () => {
    await database.pool.query("SELECT huishi_store.set_chunk_interval('detection', '6 hours')");
    await database.pool.query("SELECT huishi_store.keep_partitions('detection')");
    await detections([Date.now() + 40 * 86_400_000]);
    await database.pool.query("SELECT huishi_store.keep_partitions('detection')");
    const { rows } = await database.pool.query<{ overlaps: number; chunks: number }>(
      `WITH c AS (SELECT * FROM huishi_store.series_chunks('detection'))
       SELECT count(*)::int AS chunks, (SELECT count(*)::int FROM c AS a JOIN c AS b
         ON a.chunk <> b.chunk AND a.from_at < b.to_at AND b.from_at < a.to_at) AS overlaps FROM c`,
    );
    expect(rows[0]?.overlaps).toBe(0);
    expect(rows[0]?.chunks).toBeGreaterThan(0);
  });
});
