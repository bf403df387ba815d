import type { Rule, Zone } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";

/** Writes a zone as the API does. */
export async function insertZone(pool: Pool, zone: Zone): Promise<void> {
  await pool.query("INSERT INTO zone (id, camera_id, name, kind, points) VALUES ($1, $2, $3, $4, $5)", [
    zone.id,
    zone.cameraId,
    zone.name,
    zone.kind,
    JSON.stringify(zone.points),
  ]);
}

/** Writes a rule as the API does: what a person decides stands in `settings`. */
export async function insertRule(pool: Pool, rule: Rule): Promise<void> {
  await pool.query("INSERT INTO rule (id, camera_id, zone_id, settings) VALUES ($1, $2, $3, $4)", [
    rule.id,
    rule.cameraId,
    rule.zoneId,
    settingsOf(rule),
  ]);
}

export async function updateRule(pool: Pool, rule: Rule): Promise<void> {
  await pool.query("UPDATE rule SET settings = $2, version = version + 1 WHERE id = $1", [
    rule.id,
    settingsOf(rule),
  ]);
}

function settingsOf(rule: Rule): string {
  const { id: _id, cameraId: _cameraId, zoneId: _zoneId, version: _version, ...settings } = rule;
  return JSON.stringify(settings);
}
