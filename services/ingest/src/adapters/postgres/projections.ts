import type { EdgeEvent } from "@huishi/contracts";
import type { PoolClient } from "@huishi/platform";
import type { EventRow } from "../../domain/records.ts";

/**
 * What new events mean to the tables that people see. Each takes the new events of one transaction; a change that
 * changes nothing writes nothing, because every written row goes through the outbox to every wall.
 */

type EventOf<T extends EdgeEvent["type"]> = Extract<EdgeEvent, { type: T }>;

/** The events of one type, as JSON records that SQL can read. */
function recordsOf<T extends EdgeEvent["type"]>(
  rows: readonly EventRow[],
  type: T,
): { row: EventRow; event: EventOf<T> }[] {
  return rows
    .filter((row) => row.event.type === type)
    .map((row) => ({ row, event: row.event as EventOf<T> }));
}

/** One record a camera: the last one said. */
function lastPerCamera<R extends { cameraId: string }>(records: readonly R[]): R[] {
  return [...new Map(records.map((record) => [record.cameraId, record])).values()];
}

/** Device records: a person's name outlives the device's own. */
export async function projectInventory(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = recordsOf(rows, "camera_inventory").map(({ row, event }) => ({
    ...event,
    agentId: row.agentId,
  }));
  if (records.length === 0) return;
  await client.query(
    `INSERT INTO camera AS c (id, agent_id, name, manufacturer, model, firmware, serial, address, streams, ptz)
     SELECT "cameraId", "agentId", name, manufacturer, model, firmware, serial, address, streams, ptz
     FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, "agentId" text, name text, manufacturer text,
          model text, firmware text, serial text, address text, streams jsonb, ptz boolean)
     ON CONFLICT (id) DO UPDATE SET
       name = CASE WHEN c.name_by_person THEN c.name ELSE EXCLUDED.name END,
       manufacturer = EXCLUDED.manufacturer, model = EXCLUDED.model, firmware = EXCLUDED.firmware,
       serial = EXCLUDED.serial, address = EXCLUDED.address, streams = EXCLUDED.streams, ptz = EXCLUDED.ptz,
       version = c.version + 1
     WHERE c.agent_id = EXCLUDED.agent_id
       AND (CASE WHEN c.name_by_person THEN c.name ELSE EXCLUDED.name END, EXCLUDED.manufacturer, EXCLUDED.model,
            EXCLUDED.firmware, EXCLUDED.serial, EXCLUDED.address, EXCLUDED.streams, EXCLUDED.ptz)
         IS DISTINCT FROM (c.name, c.manufacturer, c.model, c.firmware, c.serial, c.address, c.streams, c.ptz)`,
    [JSON.stringify(lastPerCamera(records))],
  );
}

/** A camera's condition, and since when it holds. */
export async function projectHealth(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = recordsOf(rows, "camera_health").map(({ row, event }) => ({
    ...event,
    agentId: row.agentId,
  }));
  if (records.length === 0) return;
  await client.query(
    `UPDATE camera AS c SET
       condition = t.condition, condition_code = t.code,
       condition_since = CASE WHEN c.condition = t.condition AND c.condition_since IS NOT NULL
         THEN c.condition_since ELSE 'epoch'::timestamptz + t."capturedAtMs" * interval '1 millisecond' END,
       clock_offset_ms = coalesce(t."clockOffsetMs", c.clock_offset_ms)
     FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, "agentId" text, condition text, code text,
          "capturedAtMs" bigint, "clockOffsetMs" bigint)
     WHERE c.id = t."cameraId" AND c.agent_id = t."agentId"
       AND (c.condition_since IS NULL
            OR (t.condition, t.code) IS DISTINCT FROM (c.condition, c.condition_code)
            OR (c.clock_offset_ms IS NULL AND t."clockOffsetMs" IS NOT NULL)
            OR abs(t."clockOffsetMs" - c.clock_offset_ms) >= 1000)`,
    [JSON.stringify(lastPerCamera(records))],
  );
}

/** Alarms that the field decided: one a trigger, whatever arrives twice. */
export async function projectAlarms(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = recordsOf(rows, "alarm_trigger").map(({ row, event }) => ({
    cameraId: event.cameraId,
    alarmClass: event.alarmClass,
    objectClass: event.objectClass ?? null,
    priority: event.priority,
    capturedAtMs: event.capturedAtMs,
    boxes: event.box
      ? [
          {
            trackId: null,
            objectClass: event.objectClass ?? "unknown",
            score: event.score ?? 1,
            box: event.box,
            deciding: true,
          },
        ]
      : [],
    sourceEvent: `${row.agentId}/${row.boot}/${event.seq}`,
  }));
  if (records.length === 0) return;
  await client.query(
    `INSERT INTO alarm (camera_id, alarm_class, object_class, priority, captured_at, started_at, last_occurred_at,
                        boxes, source_event)
     SELECT "cameraId", "alarmClass", "objectClass", priority, at, at, at, boxes, "sourceEvent"
     FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, "alarmClass" text, "objectClass" text, priority text,
            "capturedAtMs" bigint, boxes jsonb, "sourceEvent" text),
          LATERAL (SELECT 'epoch'::timestamptz + "capturedAtMs" * interval '1 millisecond' AS at) AS moment
     ON CONFLICT (source_event) DO NOTHING`,
    [JSON.stringify(records)],
  );
}
