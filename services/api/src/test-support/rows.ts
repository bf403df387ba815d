import type { RuleCreateBody } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";

/** Writes an alarm as analytics does, and returns its id. */
export async function insertAlarm(
  pool: Pick<Pool, "query">,
  alarm: { cameraId: string; zoneName?: string; priority?: string },
): Promise<string> {
  const inserted = await pool.query<{ id: string }>(
    `INSERT INTO alarm (camera_id, zone_name, alarm_class, object_class, priority, captured_at, started_at, last_occurred_at, boxes)
     VALUES ($1, $2, 'intrusion', 'person', $3, now(), now(), now(),
       '[{"trackId":"7","objectClass":"person","score":0.9,"box":{"x":0.1,"y":0.1,"w":0.1,"h":0.2},"deciding":true}]')
     RETURNING id`,
    [alarm.cameraId, alarm.zoneName ?? null, alarm.priority ?? "P2"],
  );
  return (inserted.rows[0] as { id: string }).id;
}

export const SQUARE = [
  { x: 0.1, y: 0.1 },
  { x: 0.5, y: 0.1 },
  { x: 0.5, y: 0.5 },
  { x: 0.1, y: 0.5 },
];

export const BOW_TIE = [
  { x: 0.1, y: 0.1 },
  { x: 0.5, y: 0.5 },
  { x: 0.5, y: 0.1 },
  { x: 0.1, y: 0.5 },
];

export const LINE = [
  { x: 0.1, y: 0.9 },
  { x: 0.9, y: 0.9 },
];

/** A rule that every check accepts, for the given zone. */
export function intrusionRule(zoneId: string): RuleCreateBody {
  return {
    zoneId,
    name: "nobody here at night",
    kind: "intrusion",
    alarmClass: "intrusion",
    classes: ["person"],
    minScore: 0.4,
    persistenceMs: 3_000,
    exitMs: 2_000,
    dedupeMs: 60_000,
    threshold: 0,
    direction: "both",
    priority: "P2",
    enabled: true,
    schedule: null,
  };
}
