import type { ClientBase } from "pg";
import { markLate } from "./late-marks.ts";

/** What one look at a zone adds to one of its minutes. */
export interface OccupancyRow {
  /** When the minute begins, epoch milliseconds. */
  readonly minuteMs: number;
  readonly zoneId: string;
  /** 0: all objects together. */
  readonly classCode: number;
  /** Sum over objects of their time in the zone. */
  readonly objectMs: number;
  /** How much of the minute was looked at; 0 in rows of one class. */
  readonly watchedMs: number;
  /** At once. */
  readonly objectsMax: number;
}

/** Two looks at one minute add up: a camera moves between workers, an analysis begins anew. */
const ADD_OCCUPANCY = `
  INSERT INTO zone_occupancy (minute, zone_no, camera_no, class_code, object_ms, watched_ms, objects_max)
  SELECT minute, zone.no, camera.no, class_code, sum(object_ms), sum(watched_ms), max(objects_max)
  FROM jsonb_to_recordset($1::jsonb) AS row (minute timestamptz, zone_id text, class_code smallint,
    object_ms bigint, watched_ms integer, objects_max smallint)
  JOIN zone ON zone.id = row.zone_id JOIN camera ON camera.id = zone.camera_id
  GROUP BY minute, zone.no, camera.no, class_code
  ORDER BY zone.no, class_code, minute
  ON CONFLICT (zone_no, class_code, minute) DO UPDATE SET
    object_ms = zone_occupancy.object_ms + EXCLUDED.object_ms,
    watched_ms = zone_occupancy.watched_ms + EXCLUDED.watched_ms,
    objects_max = greatest(zone_occupancy.objects_max, EXCLUDED.objects_max)`;

/**
 * Adds to the minutes of zones. Call it within a transaction that happens once: the same rows given again would count
 * twice. Rows of a zone that was deleted meanwhile are left out.
 */
export async function addOccupancy(client: ClientBase, rows: readonly OccupancyRow[]): Promise<void> {
  if (rows.length === 0) return;
  const records = rows.map((row) => ({
    minute: new Date(row.minuteMs),
    zone_id: row.zoneId,
    class_code: row.classCode,
    object_ms: Math.round(row.objectMs),
    watched_ms: Math.round(row.watchedMs),
    objects_max: Math.min(row.objectsMax, 32_767),
  }));
  await client.query(ADD_OCCUPANCY, [JSON.stringify(records)]);
  await markLate(
    client,
    "zone_occupancy",
    rows.map(({ minuteMs }) => minuteMs),
  );
}
