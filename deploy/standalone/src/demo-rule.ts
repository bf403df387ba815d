// The demo comes with one zone and one rule, so that a newcomer sees an alarm without drawing anything first.
import { RULE_DEFAULTS, type Rule } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";

/** The part of a database connection that is needed here. */
export interface Queryable {
  query(sql: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

const ZONE_ID = "demo-crossing";
const RULE_ID = "demo-intrusion";
/** The pavement in the middle of vtest.avi, where people walk through. */
const CROSSING = [
  { x: 0.3, y: 0.3 },
  { x: 0.72, y: 0.3 },
  { x: 0.8, y: 0.8 },
  { x: 0.22, y: 0.8 },
];

/**
 * Waits until the demo's camera is registered and gives it the zone and the rule, once: `markerFile` remembers
 * it, so that a person who deletes them is not overruled at the next start.
 */
export async function giveDemoRule(
  database: Queryable,
  cameraSerial: string,
  markerFile: string,
  signal: AbortSignal,
): Promise<void> {
  if (existsSync(markerFile)) return;
  for (;;) {
    const { rows } = await database.query("SELECT id FROM camera WHERE serial = $1", [cameraSerial]);
    const cameraId = rows[0]?.["id"];
    if (typeof cameraId === "string") {
      await insert(database, cameraId);
      await writeFile(markerFile, "The demo's zone and rule were given.\n");
      return;
    }
    await sleep(250, signal);
  }
}

async function insert(database: Queryable, cameraId: string): Promise<void> {
  const settings: Omit<Rule, "id" | "cameraId" | "zoneId" | "version"> = {
    name: "Person on the crossing · 行人闯入",
    kind: "intrusion",
    classes: ["person"],
    direction: "both",
    enabled: true,
    schedule: null,
    ...RULE_DEFAULTS.intrusion,
  };
  await database.query(
    `WITH zone_row AS (
       INSERT INTO zone (id, camera_id, name, kind, points)
       VALUES ($1, $2, $3, 'polygon', $4::jsonb) ON CONFLICT DO NOTHING RETURNING id
     )
     INSERT INTO rule (id, camera_id, zone_id, settings)
     SELECT $5, $2, id, $6::jsonb FROM zone_row`,
    [ZONE_ID, cameraId, "Crossing · 人行横道", JSON.stringify(CROSSING), RULE_ID, JSON.stringify(settings)],
  );
}
