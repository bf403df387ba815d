import type { Zone } from "@huishi/contracts";
import type { Point } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { Versioned } from "../../application/versioned.ts";
import type { ZoneStore } from "../../application/zones-and-rules.ts";

interface ZoneRow {
  readonly id: string;
  readonly camera_id: string;
  readonly name: string;
  readonly kind: Zone["kind"];
  readonly points: Zone["points"];
  readonly version: number;
}

const COLUMNS = "id, camera_id, name, kind, points, version";

const toZone = (row: ZoneRow): Zone => ({
  id: row.id,
  cameraId: row.camera_id,
  name: row.name,
  kind: row.kind,
  points: row.points,
  version: row.version,
});

export class PostgresZoneStore implements ZoneStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listZones(cameraId: string): Promise<Zone[]> {
    const found = await this.#pool.query<ZoneRow>(
      `SELECT ${COLUMNS} FROM zone WHERE camera_id = $1 ORDER BY name, id`,
      [cameraId],
    );
    return found.rows.map(toZone);
  }

  async findZone(id: string): Promise<Zone | null> {
    return (await this.findZones([id]))[0] ?? null;
  }

  async findZones(ids: readonly string[]): Promise<Zone[]> {
    const found = await this.#pool.query<ZoneRow>(`SELECT ${COLUMNS} FROM zone WHERE id = ANY($1::text[])`, [
      ids,
    ]);
    return found.rows.map(toZone);
  }

  async insertZone(zone: Zone): Promise<void> {
    await this.#pool.query(
      "INSERT INTO zone (id, camera_id, name, kind, points, version) VALUES ($1, $2, $3, $4, $5, $6)",
      [zone.id, zone.cameraId, zone.name, zone.kind, JSON.stringify(zone.points), zone.version],
    );
  }

  async updateZone(zone: {
    id: string;
    name: string;
    points: readonly Point[];
    version: number;
  }): Promise<Versioned<Zone>> {
    const updated = await this.#pool.query<ZoneRow>(
      `UPDATE zone SET name = $2, points = $3, version = version + 1 WHERE id = $1 AND version = $4
       RETURNING ${COLUMNS}`,
      [zone.id, zone.name, JSON.stringify(zone.points), zone.version],
    );
    const row = updated.rows[0];
    if (row !== undefined) return { outcome: "done", row: toZone(row) };
    const current = await this.findZone(zone.id);
    return current === null ? { outcome: "missing" } : { outcome: "conflict", current };
  }

  async deleteZone(id: string): Promise<boolean> {
    const deleted = await this.#pool.query("DELETE FROM zone WHERE id = $1", [id]);
    return deleted.rowCount === 1;
  }
}
