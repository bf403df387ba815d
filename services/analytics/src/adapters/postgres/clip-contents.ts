import { REHEARSAL_CHUNK_BYTES } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { ClipContents } from "../../application/rehearsal/ports.ts";

/** Chunks of a clip, one after the other (0015_rehearsal.sql). */
export class PostgresClipContents implements ClipContents {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async *read(clipId: string): AsyncGenerator<Uint8Array> {
    const { rows } = await this.#pool.query<{ bytes: string }>(
      "SELECT bytes FROM rehearsal_clip WHERE id = $1",
      [clipId],
    );
    const chunks = Math.ceil(Number(rows[0]?.bytes ?? 0) / REHEARSAL_CHUNK_BYTES);
    if (chunks === 0) throw gone();
    for (let no = 0; no < chunks; no++) {
      const found = await this.#pool.query<{ bytes: Buffer }>(
        "SELECT bytes FROM rehearsal_clip_chunk WHERE clip_id = $1 AND no = $2",
        [clipId, no],
      );
      const chunk = found.rows[0];
      if (!chunk) throw gone();
      yield chunk.bytes;
    }
  }
}

const gone = (): HuishiError =>
  new HuishiError("REHEARSAL_CLIP_GONE", "The clip was deleted in the meantime; upload it again.");
