import type { CameraGroundPlane, GroundPairs } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { GroundPlaneStore } from "../../application/ground-planes.ts";
import type { Versioned } from "../../application/versioned.ts";

interface Row {
  readonly camera_id: string;
  readonly pairs: GroundPairs;
  readonly version: number;
}

const toGroundPlane = (row: Row): CameraGroundPlane => ({
  cameraId: row.camera_id,
  pairs: row.pairs,
  version: row.version,
});

export class PostgresGroundPlaneStore implements GroundPlaneStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async findGroundPlane(cameraId: string): Promise<CameraGroundPlane | null> {
    const found = await this.#pool.query<Row>(
      "SELECT camera_id, pairs, version FROM camera_ground_plane WHERE camera_id = $1",
      [cameraId],
    );
    const [row] = found.rows;
    return row === undefined ? null : toGroundPlane(row);
  }

  async putGroundPlane(put: {
    cameraId: string;
    pairs: GroundPairs;
    version: number;
  }): Promise<Versioned<CameraGroundPlane>> {
    const values = [put.cameraId, JSON.stringify(put.pairs)];
    const written =
      put.version === 0
        ? await this.#pool.query<Row>(
            `INSERT INTO camera_ground_plane (camera_id, pairs) VALUES ($1, $2)
             ON CONFLICT (camera_id) DO NOTHING RETURNING camera_id, pairs, version`,
            values,
          )
        : await this.#pool.query<Row>(
            `UPDATE camera_ground_plane SET pairs = $2, version = version + 1 WHERE camera_id = $1 AND version = $3
             RETURNING camera_id, pairs, version`,
            [...values, put.version],
          );
    const [row] = written.rows;
    if (row !== undefined) return { outcome: "done", row: toGroundPlane(row) };
    const current = await this.findGroundPlane(put.cameraId);
    return current === null ? { outcome: "missing" } : { outcome: "conflict", current };
  }

  async deleteGroundPlane(cameraId: string): Promise<boolean> {
    const deleted = await this.#pool.query("DELETE FROM camera_ground_plane WHERE camera_id = $1", [
      cameraId,
    ]);
    return deleted.rowCount === 1;
  }
}
