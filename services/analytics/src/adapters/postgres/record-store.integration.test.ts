import { createAgent, createCamera, type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TrackRow } from "../../application/records.ts";
import { PostgresRecordStore } from "./record-store.ts";
import { PostgresTrackIdSource } from "./track-id-source.ts";

const T0 = Date.UTC(2026, 0, 1);

let database: TestDatabase;
let store: PostgresRecordStore;

beforeEach(async () => {
  database = await testDatabase();
  store = new PostgresRecordStore(database.pool);
});
afterEach(() => database.drop());

const trackRow = (fields: Partial<TrackRow> = {}): TrackRow => ({
  id: 5,
  cameraNo: 7,
  classCode: 1,
  firstSeenMs: T0,
  lastSeenMs: T0 + 1_000,
  observations: 5,
  score: 8_000,
  path: [[0, 100, 200]],
  ended: false,
  ...fields,
});

describe("PostgresRecordStore", () => {
  it("copies detections as narrow rows", async () => {
    const row = {
      capturedAtMs: T0,
      cameraNo: 7,
      trackId: 9_000_000_001,
      classCode: 3,
      score: 9_999,
      x: 1,
      y: 2,
      w: 3,
      h: 4,
    };
    await store.writeDetections([row, { ...row, capturedAtMs: T0 + 200 }]);
    const { rows } = await database.pool.query("SELECT * FROM detection ORDER BY captured_at");
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ captured_at: new Date(T0), track_id: "9000000001", score: 9_999, h: 4 });
  });

  it("refuses what no column takes", async () => {
    const row = {
      capturedAtMs: T0,
      cameraNo: 7,
      trackId: 1,
      classCode: 3,
      score: 70_000,
      x: 1,
      y: 2,
      w: 3,
      h: 4,
    };
    await expect(store.writeDetections([row])).rejects.toMatchObject({ code: "RECORD_REFUSED" });
  });

  it("keeps one row a track, with what was known last, also within one group", async () => {
    await store.writeTracks([trackRow(), trackRow({ observations: 6, lastSeenMs: T0 + 1_200 })]);
    await store.writeTracks([
      trackRow({
        observations: 9,
        lastSeenMs: T0 + 2_000,
        path: [
          [0, 1, 1],
          [2_000, 2, 2],
        ],
      }),
    ]);
    await store.writeTracks([trackRow()]);
    const { rows } = await database.pool.query("SELECT * FROM track");
    expect(rows).toMatchObject([
      {
        id: "5",
        observations: 9,
        last_seen_at: new Date(T0 + 2_000),
        path: [
          [0, 1, 1],
          [2_000, 2, 2],
        ],
      },
    ]);
  });

  it("copies crossings", async () => {
    await store.writeCrossings([
      { crossedAtMs: T0, ruleId: "rule-1", cameraNo: 7, trackId: 5, classCode: 3, leftToRight: true },
    ]);
    const { rows } = await database.pool.query("SELECT rule_id, left_to_right FROM line_crossing");
    expect(rows).toEqual([{ rule_id: "rule-1", left_to_right: true }]);
  });

  it("adds up what several batches, and several rows of one, say of a minute of a zone", async () => {
    const { pool } = database;
    const camera = await createCamera(pool, (await createAgent(pool)).id);
    await pool.query(
      "INSERT INTO zone (id, camera_id, name, kind, points) VALUES ('zone-1', $1, 'z', 'polygon', '[]')",
      [camera.id],
    );
    const row = {
      minuteMs: T0,
      zoneId: "zone-1",
      classCode: 0,
      objectMs: 900,
      watchedMs: 400,
      objectsMax: 3,
    };
    await store.writeOccupancy([row]);
    await store.writeOccupancy([{ ...row, objectsMax: 2 }, { ...row }]);
    const { rows } = await pool.query(
      "SELECT minute, object_ms, watched_ms, objects_max FROM zone_occupancy",
    );
    expect(rows).toEqual([{ minute: new Date(T0), object_ms: "2700", watched_ms: 1_200, objects_max: 3 }]);
    await expect(store.writeOccupancy([{ ...row, classCode: 70_000 }])).rejects.toMatchObject({
      code: "RECORD_REFUSED",
    });
  });

  it("hands out blocks of track ids that do not overlap", async () => {
    const source = new PostgresTrackIdSource(database.pool);
    const [a, b] = [await source.takeBlock(), await source.takeBlock()];
    expect(b - a).toBeGreaterThanOrEqual(1_000_000);
  });
});
