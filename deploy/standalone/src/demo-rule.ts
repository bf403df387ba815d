// The demo comes with one zone and one rule, so that a newcomer sees an alarm without drawing anything first.
import { RULE_DEFAULTS, type Rule } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import type { Pool } from "pg";

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
 * Waits until the demo's camera is registered and gives it the zone and the rule, once: a person who deletes
 * them is not overruled at the next start (`alreadyGiven`).
 */
export async function giveDemoRule(
  pool: Pool,
  camera: { serial: string; hasPeople: boolean },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ id: string; name: string }>(
      "SELECT id, name FROM camera WHERE serial = $1",
      [camera.serial],
    );
    const [found] = rows;
    if (found) return insert(pool, found.id);
    await sleep(250, signal);
  }
}

async function insert(pool: Pool, cameraId: string): Promise<void> {
  const settings: Omit<Rule, "id" | "cameraId" | "zoneId" | "version"> = {
    name: "Person on the crossing · 行人闯入",
    kind: "intrusion",
    classes: ["person"],
    direction: "both",
    enabled: true,
    schedule: null,
    ...RULE_DEFAULTS.intrusion,
  };
  await pool.query(
    `WITH z AS (
       INSERT INTO zone (id, camera_id, name, kind, points) VALUES ($1, $2, $3, 'polygon', $4) ON CONFLICT DO NOTHING RETURNING id
     )
     INSERT INTO rule (id, camera_id, zone_id, settings) SELECT $5, $2, id, $6 FROM z`,
    [ZONE_ID, cameraId, "Crossing · 人行横道", JSON.stringify(CROSSING), RULE_ID, JSON.stringify(settings)],
  );
}
