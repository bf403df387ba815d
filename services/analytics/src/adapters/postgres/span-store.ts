import type { Pool } from "@huishi/platform";
import type { AnalysisSpan, SpanStore } from "../../application/analysis-spans.ts";

/** Table `analysis_span` (0015_rehearsal.sql). */
export class PostgresSpanStore implements SpanStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async writeSpans(spans: readonly AnalysisSpan[]): Promise<void> {
    await this.#pool.query(
      `INSERT INTO analysis_span (camera_no, began_at, until_at, frames)
       SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[], $4::integer[])
       ON CONFLICT (camera_no, began_at) DO UPDATE SET
         until_at = greatest(analysis_span.until_at, excluded.until_at),
         frames = greatest(analysis_span.frames, excluded.frames)`,
      [
        spans.map(({ cameraNo }) => cameraNo),
        spans.map(({ beganMs }) => new Date(beganMs)),
        spans.map(({ untilMs }) => new Date(untilMs)),
        spans.map(({ frames }) => frames),
      ],
    );
  }
}
