import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "@huishi/platform";
import type { AlarmReceipt, FrameAlarms, RuleAlarm } from "../../application/alarms.ts";
import type { AlarmStore } from "../../application/ports.ts";
import { ExactlyOnce } from "./exactly-once.ts";
import { joinNeighbour, lockNeighbourClasses } from "./neighbour-alarms.ts";

/**
 * One rule's word on one frame. The rule's latest alarm decides: while it is open (new or acknowledged), a
 * repetition is counted on it, and so is a new raise within `dedupeMs` of its last occurrence with the same
 * class, priority and zone: that is a restart, the engine's memory was lost. After a false alarm, or with an
 * edited zone, a new row is opened. No row at all comes back when the camera is gone or the same event was
 * written before.
 */
const RECORD_ALARM = `
  WITH latest AS (
    SELECT id, state, last_occurred_at, alarm_class, priority, zone_points
    FROM alarm WHERE rule_id = $1 AND camera_id = $2 ORDER BY id DESC LIMIT 1 FOR UPDATE
  ), joined AS (
    SELECT id FROM latest
    WHERE state IN ('new', 'acknowledged')
      AND ($3 OR ($4 > 0 AND alarm_class = $5 AND priority = $6 AND zone_points = $7::jsonb
        AND last_occurred_at BETWEEN $8::timestamptz - $4 * interval '1 ms' AND $8::timestamptz + $4 * interval '1 ms'))
  ), counted AS (
    UPDATE alarm SET occurrences = alarm.occurrences + $9, version = alarm.version + 1,
      last_occurred_at = GREATEST(alarm.last_occurred_at, $8::timestamptz)
    FROM joined WHERE alarm.id = joined.id
    RETURNING alarm.id
  ), opened AS (
    INSERT INTO alarm (rule_id, camera_id, alarm_class, priority, zone_points, captured_at, last_occurred_at,
      occurrences, started_at, object_class, rule_name, zone_id, zone_name, zone_kind, boxes, source_event,
      latitude, longitude, sensor_reading)
    SELECT $1, camera.id, $5, $6, $7::jsonb, $8, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17,
      $18, $19, $20::jsonb
    FROM camera WHERE camera.id = $2 AND NOT EXISTS (SELECT 1 FROM joined)
    ON CONFLICT (source_event) DO NOTHING
    RETURNING id
  )
  SELECT id::text, false AS opened FROM counted UNION ALL SELECT id::text, true FROM opened`;

/** Alarms that rules raise. The table's trigger puts each change into the outbox in the same transaction. */
export class PostgresAlarmStore implements AlarmStore {
  readonly #pool: Pool;
  readonly #once: ExactlyOnce;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#once = new ExactlyOnce(pool);
  }

  async commit(batch: readonly FrameAlarms[]): Promise<AlarmReceipt[]> {
    const first = batch[0];
    if (!first) return [];
    return this.#once.run(first, async (client) => {
      await lockNeighbourClasses(client, batch);
      const receipts: AlarmReceipt[] = [];
      for (const frame of batch) {
        for (const alarm of frame.alarms) {
          const receipt = await record(client, frame, alarm);
          if (receipt) receipts.push(receipt);
        }
      }
      return receipts;
    });
  }

  async addSnapshot(alarmId: string, jpeg: Uint8Array): Promise<void> {
    const sha256 = createHash("sha256").update(jpeg).digest();
    await this.#pool.query(
      `WITH snapshot AS (
         INSERT INTO alarm_snapshot (alarm_id, jpeg, sha256)
         SELECT id, $2, $3 FROM alarm WHERE id = $1
         ON CONFLICT (alarm_id) DO NOTHING
         RETURNING alarm_id
       )
       UPDATE alarm SET has_snapshot = true, version = version + 1
       FROM snapshot WHERE alarm.id = snapshot.alarm_id`,
      [alarmId, jpeg, sha256],
    );
  }
}

async function record(
  client: PoolClient,
  frame: FrameAlarms,
  alarm: RuleAlarm,
): Promise<AlarmReceipt | null> {
  const { rule, zone } = alarm;
  const receipt = { ruleId: rule.id, cameraId: frame.cameraId, capturedAtMs: frame.capturedAtMs };
  const joined = await joinNeighbour(client, frame, alarm);
  if (joined !== null) return { alarmId: joined, ...receipt, opened: false };
  const { rows } = await client.query<{ id: string; opened: boolean }>({
    name: "record-alarm",
    text: RECORD_ALARM,
    values: [
      rule.id,
      frame.cameraId,
      !alarm.isNew,
      rule.dedupeMs,
      rule.alarmClass,
      rule.priority,
      JSON.stringify(zone.points),
      new Date(frame.capturedAtMs),
      alarm.occurrences,
      new Date(alarm.startedAtMs),
      alarm.objectClass,
      rule.name,
      zone.id,
      zone.name,
      zone.kind,
      JSON.stringify(alarm.boxes),
      alarm.sourceEvent,
      alarm.position?.latitude ?? null,
      alarm.position?.longitude ?? null,
      alarm.sensorReading ? JSON.stringify(alarm.sensorReading) : null,
    ],
  });
  const row = rows[0];
  return row ? { alarmId: row.id, ...receipt, opened: row.opened } : null;
}
