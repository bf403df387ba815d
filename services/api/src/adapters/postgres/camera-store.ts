import type { Camera } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { CameraChange, CameraStore } from "../../application/cameras.ts";
import { seenState } from "../../domain/camera-state.ts";
import type { Versioned } from "../../application/versioned.ts";

interface CameraRow {
  readonly id: string;
  readonly agent_id: string;
  readonly name: string;
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly address: string | null;
  readonly streams: Camera["streams"];
  readonly ptz: boolean;
  readonly note: string | null;
  readonly condition: Camera["condition"];
  readonly condition_code: string | null;
  readonly condition_since: Date | null;
  readonly faults: Camera["faults"];
  readonly picture_faults: Camera["faults"];
  readonly picture_faults_at: Date | null;
  readonly measured: Camera["measured"];
  readonly agent_online: boolean;
  readonly area_id: string | null;
  readonly backfill: boolean;
  readonly version: number;
}

const SELECT_CAMERA = `
  SELECT c.id, c.agent_id, c.name, c.manufacturer, c.model, c.serial, c.address, c.streams, c.ptz, c.note,
         c.condition, c.condition_code, c.condition_since, c.faults, c.picture_faults, c.picture_faults_at, c.measured, c.version, c.area_id, c.backfill, a.online AS agent_online
  FROM camera c JOIN agent a ON a.id = c.agent_id`;

function toCamera(row: CameraRow): Camera {
  const seen = seenState(
    { condition: row.condition, sinceMs: row.condition_since?.getTime() ?? null, faults: row.faults },
    { faults: row.picture_faults, atMs: row.picture_faults_at?.getTime() ?? null },
    Date.now(),
  );
  return {
    id: row.id,
    agentId: row.agent_id,
    name: row.name,
    manufacturer: row.manufacturer,
    model: row.model,
    serial: row.serial,
    address: row.address,
    streams: row.streams,
    ptz: row.ptz,
    note: row.note,
    condition: seen.condition,
    conditionCode: row.condition_code,
    conditionSinceMs: seen.sinceMs,
    faults: seen.faults,
    measured: row.measured,
    agentOnline: row.agent_online,
    areaId: row.area_id,
    backfill: row.backfill,
    version: row.version,
  };
}

/** Cameras as people see them. Rows come from ingest; people change name and area alone. */
export class PostgresCameraStore implements CameraStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listCameras(): Promise<Camera[]> {
    const found = await this.#pool.query<CameraRow>(`${SELECT_CAMERA} ORDER BY c.no`);
    return found.rows.map(toCamera);
  }

  async findCamera(id: string): Promise<Camera | null> {
    return (await this.findCameras([id]))[0] ?? null;
  }

  async findCameras(ids: readonly string[]): Promise<Camera[]> {
    const found = await this.#pool.query<CameraRow>(`${SELECT_CAMERA} WHERE c.id = ANY($1::text[])`, [ids]);
    return found.rows.map(toCamera);
  }

  async changeCamera(change: CameraChange): Promise<Versioned<Camera>> {
    const { id, name, areaId, backfill, version } = change;
    // A name is a person's when a person changed it; moving the camera alone leaves it the device's.
    const updated = await this.#pool.query(
      `UPDATE camera SET name = $2, name_by_person = name_by_person OR name <> $2,
         area_id = CASE WHEN $4 THEN $5 ELSE area_id END,
         backfill = coalesce($6, backfill), version = version + 1
       WHERE id = $1 AND version = $3`,
      [id, name, version, areaId !== undefined, areaId ?? null, backfill ?? null],
    );
    const current = await this.findCamera(id);
    if (current === null) return { outcome: "missing" };
    return updated.rowCount === 1 ? { outcome: "done", row: current } : { outcome: "conflict", current };
  }

  async deleteCamera(id: string): Promise<boolean> {
    const deleted = await this.#pool.query("DELETE FROM camera WHERE id = $1", [id]);
    return deleted.rowCount === 1;
  }
}
