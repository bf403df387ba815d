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

/** One record a device: the one captured last, of equal ones the one said last. */
function lastPerDevice<R extends { capturedAtMs: number } & ({ cameraId: string } | { sensorId: string })>(
  records: readonly R[],
): R[] {
  const last = new Map<string, R>();
  for (const record of records) {
    const id = "cameraId" in record ? record.cameraId : record.sensorId;
    const known = last.get(id);
    if (!known || known.capturedAtMs <= record.capturedAtMs) last.set(id, record);
  }
  return [...last.values()];
}

/** Device records: a person's name outlives the device's own. */
async function projectInventory(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = recordsOf(rows, "camera_inventory").map(({ row, event }) => ({
    ...event,
    agentId: row.agentId,
  }));
  if (records.length === 0) return;
  await client.query(
    `INSERT INTO camera AS c
       (id, agent_id, name, manufacturer, model, firmware, serial, address, hardware_address, endpoint, capabilities,
        streams, ptz, described_at)
     SELECT "cameraId", "agentId", name, manufacturer, model, firmware, serial, address, "hardwareAddress", endpoint,
       coalesce(capabilities, '[]'), streams, ptz, to_timestamp("capturedAtMs" / 1000.0)
     FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, "agentId" text, name text, manufacturer text,
          model text, firmware text, serial text, address text, "hardwareAddress" text, endpoint text,
          capabilities jsonb, streams jsonb, ptz boolean, "capturedAtMs" bigint)
     ON CONFLICT (id) DO UPDATE SET
       name = CASE WHEN c.name_by_person THEN c.name ELSE EXCLUDED.name END,
       manufacturer = EXCLUDED.manufacturer, model = EXCLUDED.model, firmware = EXCLUDED.firmware,
       serial = EXCLUDED.serial, address = EXCLUDED.address, hardware_address = EXCLUDED.hardware_address,
       endpoint = EXCLUDED.endpoint, capabilities = EXCLUDED.capabilities, streams = EXCLUDED.streams,
       ptz = EXCLUDED.ptz, described_at = EXCLUDED.described_at, version = c.version + 1
     WHERE c.agent_id = EXCLUDED.agent_id AND (c.described_at IS NULL OR c.described_at <= EXCLUDED.described_at)
       AND (CASE WHEN c.name_by_person THEN c.name ELSE EXCLUDED.name END, EXCLUDED.manufacturer, EXCLUDED.model,
            EXCLUDED.firmware, EXCLUDED.serial, EXCLUDED.address, EXCLUDED.hardware_address, EXCLUDED.endpoint,
            EXCLUDED.capabilities, EXCLUDED.streams, EXCLUDED.ptz)
         IS DISTINCT FROM (c.name, c.manufacturer, c.model, c.firmware, c.serial, c.address, c.hardware_address,
            c.endpoint, c.capabilities, c.streams, c.ptz)`,
    [JSON.stringify(lastPerDevice(records))],
  );
}

/** A camera's condition, and since when it holds. A word older than the last one changes nothing: an outbox may be late. */
async function projectHealth(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
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
       faults = t.faults,
       clock_offset_ms = coalesce(t."clockOffsetMs", c.clock_offset_ms),
       condition_at = 'epoch'::timestamptz + t."capturedAtMs" * interval '1 millisecond'
     FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, "agentId" text, condition text, code text,
          faults jsonb, "capturedAtMs" bigint, "clockOffsetMs" bigint)
     WHERE c.id = t."cameraId" AND c.agent_id = t."agentId"
       AND (c.condition_at IS NULL
            OR c.condition_at <= 'epoch'::timestamptz + t."capturedAtMs" * interval '1 millisecond')
       AND (c.condition_since IS NULL
            OR (t.condition, t.code, t.faults) IS DISTINCT FROM (c.condition, c.condition_code, c.faults)
            OR (c.clock_offset_ms IS NULL AND t."clockOffsetMs" IS NOT NULL)
            OR abs(t."clockOffsetMs" - c.clock_offset_ms) >= 1000)`,
    [JSON.stringify(lastPerDevice(records))],
  );
}

/** What a camera's streams really are: the last measure of each profile. */
async function projectMeasures(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  for (const profile of ["main", "sub"] as const) {
    const records = recordsOf(rows, "camera_measure")
      .filter(({ event }) => event.profile === profile)
      .map(({ row, event }) => {
        const { cameraId, capturedAtMs, codec, width, height, fps, bitRate, gopMs } = event;
        const measured = { profile, codec, width, height, fps, bitRate, gopMs, atMs: capturedAtMs };
        return { cameraId, agentId: row.agentId, capturedAtMs, measured };
      });
    if (records.length === 0) continue;
    await client.query(
      `UPDATE camera AS c SET measured = others.list || jsonb_build_array(t.measured)
       FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, "agentId" text, "capturedAtMs" bigint, measured jsonb)
       JOIN camera AS old ON old.id = t."cameraId",
            LATERAL (SELECT coalesce(jsonb_agg(k), '[]') AS list
              FROM jsonb_array_elements(old.measured) AS k WHERE k->>'profile' <> $2) AS others
       WHERE c.id = old.id AND c.agent_id = t."agentId"
         AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(old.measured) AS k
           WHERE k->>'profile' = $2 AND (k->>'atMs')::bigint > t."capturedAtMs")`,
      [JSON.stringify(lastPerDevice(records)), profile],
    );
  }
}

/** Alarms that the field decided: one a trigger, whatever arrives twice. */
async function projectAlarms(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
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

/** A sensor's device record and what is expected of its datastreams. */
async function projectSensors(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = lastPerDevice(recordsOf(rows, "sensor_inventory").map(({ event }) => event));
  if (records.length === 0) return;
  await client.query(
    `UPDATE sensor AS s SET
       name = CASE WHEN s.name_by_person THEN s.name ELSE t.name END,
       manufacturer = t.manufacturer, model = t.model, serial = t.serial, camera_id = t."watchedBy",
       described_at = to_timestamp(t."capturedAtMs" / 1000.0), version = s.version + 1
     FROM jsonb_to_recordset($1::jsonb) AS t
       ("sensorId" text, name text, manufacturer text, model text, serial text, "watchedBy" text, "capturedAtMs" bigint)
     WHERE s.id = t."sensorId" AND (s.described_at IS NULL OR s.described_at <= to_timestamp(t."capturedAtMs" / 1000.0))
       AND (CASE WHEN s.name_by_person THEN s.name ELSE t.name END, t.manufacturer, t.model, t.serial, t."watchedBy")
         IS DISTINCT FROM (s.name, s.manufacturer, s.model, s.serial, s.camera_id)`,
    [JSON.stringify(records)],
  );
  const streams = records.flatMap(({ sensorId, datastreams }) =>
    datastreams.map((datastream) => ({ sensorId, ...datastream })),
  );
  await client.query(
    `INSERT INTO datastream AS d (sensor_id, observed_property, unit, expected_interval_ms)
     SELECT DISTINCT ON ("sensorId", "observedProperty", unit) "sensorId", "observedProperty", unit, "expectedIntervalMs"
     FROM jsonb_to_recordset($1::jsonb) AS t ("sensorId" text, "observedProperty" text, unit text, "expectedIntervalMs" integer)
     ON CONFLICT (sensor_id, observed_property, unit) DO UPDATE SET expected_interval_ms = EXCLUDED.expected_interval_ms
     WHERE d.expected_interval_ms IS DISTINCT FROM EXCLUDED.expected_interval_ms`,
    [JSON.stringify(streams)],
  );
}

/** Alarms that sensors' thresholds decided, in the order of their capture. */
async function projectSensorAlarms(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const words = recordsOf(rows, "sensor_alarm")
    .map(({ row, event }) => ({ ...event, sourceEvent: `${row.agentId}/${row.boot}/${event.seq}` }))
    .sort((a, b) => a.capturedAtMs - b.capturedAtMs);
  if (words.length === 0) return;
  await client.query(
    `SELECT take_sensor_alarm(word)
     FROM (SELECT word FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t (word, n) ORDER BY n) AS ordered`,
    [JSON.stringify(words)],
  );
}

async function projectSensorHealth(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = lastPerDevice(recordsOf(rows, "sensor_health").map(({ event }) => event));
  if (records.length === 0) return;
  await client.query(
    `UPDATE sensor AS s SET
       condition = t.condition, condition_code = t.code, condition_at = moment.at,
       condition_since = CASE WHEN s.condition = t.condition AND s.condition_since IS NOT NULL
         THEN s.condition_since ELSE moment.at END
     FROM jsonb_to_recordset($1::jsonb) AS t ("sensorId" text, condition text, code text, "capturedAtMs" bigint),
          LATERAL (SELECT 'epoch'::timestamptz + t."capturedAtMs" * interval '1 millisecond' AS at) AS moment
     WHERE s.id = t."sensorId" AND (s.condition_at IS NULL OR s.condition_at <= moment.at)`,
    [JSON.stringify(records)],
  );
}

/** A clip of this length is small enough for one upload at any bit rate that cameras have. */
const BACKFILL_SLICE = "5 minutes";
/** Older parts of a gap are not asked for by themselves. */
const BACKFILL_LONGEST = "24 hours";

/** Live pictures that the uplink lost are asked for, where the camera is set to it. */
async function projectGaps(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const records = recordsOf(rows, "media_gap")
    .filter(({ event }) => event.of === "live" && event.reason === "uplink" && event.toMs > event.fromMs)
    .map(({ row, event }) => ({
      ...event,
      agentId: row.agentId,
      source: `${row.agentId}/${row.boot}/${event.seq}`,
    }));
  if (records.length === 0) return;
  await client.query(
    `INSERT INTO clip (id, agent_id, camera_id, profile, from_at, to_at, purpose, requested_by, source)
     SELECT gen_random_uuid()::text, camera.agent_id, camera.id, t.profile, slice,
       least(slice + interval '${BACKFILL_SLICE}', gap.to_at), 'backfill', 'huishi',
       t.source || '/' || extract(epoch FROM slice)
     FROM jsonb_to_recordset($1::jsonb) AS t
            ("cameraId" text, "agentId" text, profile text, "fromMs" bigint, "toMs" bigint, source text)
       JOIN camera ON camera.id = t."cameraId" AND camera.agent_id = t."agentId" AND camera.backfill,
       LATERAL (SELECT 'epoch'::timestamptz + "fromMs" * interval '1 millisecond' AS from_at,
                       'epoch'::timestamptz + "toMs" * interval '1 millisecond' AS to_at) AS gap,
       LATERAL generate_series(greatest(gap.from_at, gap.to_at - interval '${BACKFILL_LONGEST}'),
                               gap.to_at - interval '1 millisecond', interval '${BACKFILL_SLICE}') AS slice
     ON CONFLICT (source) DO NOTHING`,
    [JSON.stringify(records)],
  );
}

/** Rows of one agent: a hostile network must not fill the table. */
const MAX_FOUND_DEVICES = 5_000;

/** Devices in quarantine. A word older than the last one changes nothing: an outbox may be late. */
async function projectFoundDevices(client: PoolClient, rows: readonly EventRow[]): Promise<void> {
  const last = new Map<string, EventOf<"device_found"> & { agentId: string }>();
  for (const { row, event } of recordsOf(rows, "device_found")) {
    const key = `${row.agentId} ${event.deviceKey}`;
    const known = last.get(key);
    if (!known || known.capturedAtMs <= event.capturedAtMs) last.set(key, { ...event, agentId: row.agentId });
  }
  if (last.size === 0) return;
  await client.query(
    `INSERT INTO found_device AS f
       (agent_id, device_key, how, address, onvif_url, rtsp_port, name, hardware, first_at, told_at, gone)
     SELECT t."agentId", t."deviceKey", t.how, t.address, t."onvifUrl", t."rtspPort", t.name, t.hardware,
       moment.at, moment.at, coalesce(t.gone, false)
     FROM jsonb_to_recordset($1::jsonb) AS t ("agentId" text, "deviceKey" text, how text, address text,
            "onvifUrl" text, "rtspPort" integer, name text, hardware text, gone boolean, "capturedAtMs" bigint),
          LATERAL (SELECT 'epoch'::timestamptz + t."capturedAtMs" * interval '1 millisecond' AS at) AS moment
     WHERE EXISTS (SELECT FROM found_device k WHERE k.agent_id = t."agentId" AND k.device_key = t."deviceKey")
        OR (SELECT count(*) FROM found_device k WHERE k.agent_id = t."agentId") < $2
     ON CONFLICT (agent_id, device_key) DO UPDATE SET
       how = EXCLUDED.how, address = EXCLUDED.address, onvif_url = EXCLUDED.onvif_url,
       rtsp_port = EXCLUDED.rtsp_port, name = EXCLUDED.name, hardware = EXCLUDED.hardware,
       first_at = least(f.first_at, EXCLUDED.first_at), told_at = EXCLUDED.told_at, gone = EXCLUDED.gone
     WHERE f.told_at <= EXCLUDED.told_at`,
    [JSON.stringify([...last.values()]), MAX_FOUND_DEVICES],
  );
}

/** What new events of one transaction mean elsewhere, in the order in which it is written. */
export const PROJECTIONS: readonly ((client: PoolClient, rows: readonly EventRow[]) => Promise<void>)[] = [
  projectInventory,
  projectHealth,
  projectMeasures,
  projectAlarms,
  projectSensors,
  projectSensorHealth,
  projectSensorAlarms,
  projectGaps,
  projectFoundDevices,
];
