import type { Camera, GroundPairs, Rule, Zone } from "@huishi/contracts";
import { GroundPlane, groundPlaneProblem } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { CameraPlan, PlanSelection, PlanStore } from "../../application/ports.ts";

interface PlanRow {
  readonly id: string;
  readonly no: number;
  readonly streams: Camera["streams"];
  readonly zones: readonly Zone[];
  readonly rules: readonly Rule[];
  readonly ground_pairs: GroundPairs | null;
}

const SELECT_PLANS = `
  SELECT camera.id, camera.no, camera.streams,
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', zone.id, 'cameraId', zone.camera_id, 'name', zone.name,
        'kind', zone.kind, 'points', zone.points, 'version', zone.version) ORDER BY zone.id)
      FROM zone WHERE zone.camera_id = camera.id), '[]') AS zones,
    coalesce((SELECT jsonb_agg(rule.settings || jsonb_build_object('id', rule.id, 'cameraId', rule.camera_id,
        'zoneId', rule.zone_id, 'version', rule.version) ORDER BY rule.id)
      FROM rule WHERE rule.camera_id = camera.id), '[]') AS rules,
    (SELECT pairs FROM camera_ground_plane AS ground WHERE ground.camera_id = camera.id) AS ground_pairs
  FROM camera`;

/** Cameras with their zones and rules, as the API wrote them. */
export class PostgresPlanStore implements PlanStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readAll(): Promise<CameraPlan[]> {
    const { rows } = await this.#pool.query<PlanRow>(SELECT_PLANS);
    return rows.map(planOf);
  }

  async read(selection: PlanSelection): Promise<CameraPlan[]> {
    const { rows } = await this.#pool.query<PlanRow>(
      `${SELECT_PLANS}
       WHERE camera.id = ANY ($1::text[])
          OR camera.id IN (SELECT camera_id FROM zone WHERE id = ANY ($2::text[]))
          OR camera.id IN (SELECT camera_id FROM rule WHERE id = ANY ($3::text[]))`,
      [selection.cameraIds, selection.zoneIds, selection.ruleIds],
    );
    return rows.map(planOf);
  }
}

function planOf(row: PlanRow): CameraPlan {
  return {
    cameraId: row.id,
    cameraNo: row.no,
    profiles: row.streams.map((stream) => stream.profile),
    zones: row.zones,
    rules: row.rules,
    groundPlane: groundPlaneOf(row.ground_pairs),
  };
}

/** What cannot be used counts as missing: its rules say that they need one. */
export function groundPlaneOf(pairs: GroundPairs | null): GroundPlane | null {
  return pairs === null || groundPlaneProblem(pairs) !== null ? null : new GroundPlane(pairs);
}
