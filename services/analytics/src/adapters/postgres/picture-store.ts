import type { Pool } from "@huishi/platform";
import type { PictureReport, PictureStore } from "../../application/picture/picture-reports.ts";

/**
 * The centre's own verdict stands beside the edge's (`camera.faults`, which ingest alone writes) and never touches it; who
 * reads puts both together. A camera that turns (PTZ) has no usual view: of it only black and frozen pictures are told.
 */
export class PostgresPictureStore implements PictureStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async writePictures(reports: readonly PictureReport[]): Promise<void> {
    // A row that would not change is not written: every written one goes through the outbox to every wall.
    await this.#pool.query(
      `UPDATE camera AS c SET picture_faults = told.faults, picture_faults_at = told.at
       FROM jsonb_to_recordset($1::jsonb) AS t ("cameraId" text, faults jsonb, "atMs" bigint)
       JOIN camera AS old ON old.id = t."cameraId",
       LATERAL (SELECT 'epoch'::timestamptz + t."atMs" * interval '1 millisecond' AS at,
         CASE WHEN t.faults IS NULL THEN NULL ELSE
           (SELECT coalesce(jsonb_agg(f), '[]') FROM jsonb_array_elements(t.faults) AS f
            WHERE NOT old.ptz OR f->>'fault' IN ('black', 'frozen')) END AS faults) AS told
       WHERE c.id = old.id
         AND (c.picture_faults IS DISTINCT FROM told.faults OR told.faults <> '[]'::jsonb)`,
      [JSON.stringify(reports)],
    );
  }
}
