import { type Clock, type Runnable, sleep } from "@huishi/kernel";
import type { Logger, Pool } from "@huishi/platform";
import { REHEARSAL_CLIP_KEPT_MS, REHEARSAL_KEPT_MS } from "@huishi/contracts";
import type { PostgresChangeReader } from "./change-reader.ts";

const EVERY_MS = 3600_000;
/** How long a client may be away and still resume. */
const CHANGE_RETENTION_MS = 24 * 3600_000;
/** Who steered what is looked up in the weeks after. */
const COMMAND_RETENTION_MS = 30 * 24 * 3600_000;
const CLAIM_RETENTION_MS = 30 * 24 * 3600_000;
/** When cameras were analysed: rehearsals ask for the last week. */
const SPAN_RETENTION_MS = 31 * 24 * 3600_000;

/** Hourly: forgets old changes, ended sessions, old commands and claim codes that nobody can use any more. */
export class Housekeeping implements Runnable {
  readonly name = "housekeeping";
  readonly #parts: { pool: Pool; changes: PostgresChangeReader; clock: Clock; logger: Logger };

  constructor(parts: { pool: Pool; changes: PostgresChangeReader; clock: Clock; logger: Logger }) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.cleanOnce();
      await sleep(EVERY_MS, signal);
    }
  }

  async cleanOnce(): Promise<void> {
    const { pool, changes, clock, logger } = this.#parts;
    const nowMs = clock.nowMs();
    const prunedChanges = await changes.prune(nowMs - CHANGE_RETENTION_MS);
    const sessions = await pool.query("DELETE FROM user_session WHERE expires_at < $1", [new Date(nowMs)]);
    await pool.query("DELETE FROM agent_claim WHERE expires_at < $1 AND agent_id IS NULL", [
      new Date(nowMs - CLAIM_RETENTION_MS),
    ]);
    await pool.query("DELETE FROM agent_command WHERE created_at < $1", [
      new Date(nowMs - COMMAND_RETENTION_MS),
    ]);
    await pool.query("DELETE FROM rehearsal WHERE created_at < $1", [new Date(nowMs - REHEARSAL_KEPT_MS)]);
    await pool.query("DELETE FROM rehearsal_clip WHERE created_at < $1", [
      new Date(nowMs - REHEARSAL_CLIP_KEPT_MS),
    ]);
    await pool.query("DELETE FROM analysis_span WHERE until_at < $1", [new Date(nowMs - SPAN_RETENTION_MS)]);
    logger.debug({ changes: prunedChanges, sessions: sessions.rowCount }, "old rows removed");
  }
}
