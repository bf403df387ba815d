/** One alarm for what several neighbouring cameras see: decided where all analytics processes meet, in the database. */
import type { PoolClient } from "@huishi/platform";
import type { FrameAlarms, RuleAlarm } from "../../application/alarms.ts";

/** Metres of a degree on a sphere of the earth's mean radius: within 0.6 % of the ellipsoid, over 500 m at most. */
const DEGREE_M = 111_195;

const isWithin = (row: string): string =>
  `sqrt(power((${row}.latitude - $7) * ${DEGREE_M}, 2)
      + power((${row}.longitude - $8) * ${DEGREE_M} * cos(radians($7)), 2)) <= $9`;

/**
 * A repetition goes where this rule's last raise went, if that was another camera's alarm and the rule has had none of
 * its own since. A new raise joins the latest open alarm of its class that another camera raised within `metres` of it
 * and `withinMs` of its last occurrence; the places of those who joined it before count, too. An event that is given
 * twice is counted once. No row: nobody else sees it.
 */
const JOIN_NEIGHBOUR = `
  WITH target AS (
    SELECT alarm.id FROM alarm
    WHERE alarm.state IN ('new', 'acknowledged') AND alarm.camera_id <> $2
      AND CASE WHEN $6 THEN EXISTS (
          SELECT 1 FROM alarm_neighbour AS mine
          WHERE mine.alarm_id = alarm.id AND mine.rule_id = $1 AND mine.camera_id = $2
            AND NOT EXISTS (SELECT 1 FROM alarm AS own
              WHERE own.rule_id = $1 AND own.camera_id = $2 AND own.last_occurred_at > mine.last_at))
        ELSE alarm.alarm_class = $3 AND alarm.latitude IS NOT NULL
          AND alarm.last_occurred_at BETWEEN $4::timestamptz - $5 * interval '1 ms' AND $4::timestamptz + $5 * interval '1 ms'
          AND (${isWithin("alarm")} OR EXISTS (
            SELECT 1 FROM alarm_neighbour AS joined WHERE joined.alarm_id = alarm.id AND ${isWithin("joined")}))
        END
    ORDER BY alarm.last_occurred_at DESC, alarm.id DESC LIMIT 1 FOR UPDATE OF alarm
  ), fresh AS (
    SELECT id FROM target WHERE NOT EXISTS (
      SELECT 1 FROM alarm_neighbour AS known
      WHERE known.alarm_id = target.id AND known.camera_id = $2 AND known.source_event = $11)
  ), counted AS (
    UPDATE alarm SET occurrences = alarm.occurrences + $10, version = alarm.version + 1,
      last_occurred_at = GREATEST(alarm.last_occurred_at, $4::timestamptz)
    FROM fresh WHERE alarm.id = fresh.id
    RETURNING alarm.id
  ), noted AS (
    INSERT INTO alarm_neighbour AS known (alarm_id, camera_id, rule_id, first_at, last_at, occurrences, latitude,
      longitude, source_event)
    SELECT counted.id, $2, $1, $4, $4, $10, $7, $8, $11 FROM counted
    ON CONFLICT (alarm_id, camera_id) DO UPDATE SET rule_id = EXCLUDED.rule_id,
      first_at = LEAST(known.first_at, EXCLUDED.first_at), last_at = GREATEST(known.last_at, EXCLUDED.last_at),
      occurrences = known.occurrences + EXCLUDED.occurrences, latitude = EXCLUDED.latitude,
      longitude = EXCLUDED.longitude, source_event = EXCLUDED.source_event
  )
  SELECT id::text FROM target`;

/**
 * Lets one process at a time decide about a class of alarms until its transaction ends. Always first in the transaction,
 * and in one order: so nobody waits in a circle.
 */
export async function lockNeighbourClasses(client: PoolClient, batch: readonly FrameAlarms[]): Promise<void> {
  const classes = new Set<string>();
  for (const { alarms } of batch)
    for (const { rule, position } of alarms) if (rule.neighbours && position) classes.add(rule.alarmClass);
  for (const alarmClass of [...classes].sort()) {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('huishi alarm ' || $1, 0))", [
      alarmClass,
    ]);
  }
}

/** Counts the alarm on a neighbour's one; returns that one's id, or null when there is none. */
export async function joinNeighbour(
  client: PoolClient,
  frame: FrameAlarms,
  alarm: RuleAlarm,
): Promise<string | null> {
  const { rule, position } = alarm;
  if (!rule.neighbours || !position) return null;
  const { rows } = await client.query<{ id: string }>({
    name: "join-neighbour",
    text: JOIN_NEIGHBOUR,
    values: [
      rule.id,
      frame.cameraId,
      rule.alarmClass,
      new Date(frame.capturedAtMs),
      rule.neighbours.withinMs,
      !alarm.isNew,
      position.latitude,
      position.longitude,
      rule.neighbours.metres,
      alarm.occurrences,
      alarm.sourceEvent,
    ],
  });
  return rows[0]?.id ?? null;
}
