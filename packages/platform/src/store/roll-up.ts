import { sleep } from "@huishi/kernel";
import type { Pool } from "../postgres/pool.ts";

/** A minute is closed this long after its end; what comes later leaves a late mark. */
const CLOSE_AFTER = "15 seconds";
/** Writers that began before a minute was closed must have ended; asked this often, this long at most. */
const LOOK_MS = 50;
const MAX_WAIT_MS = 30_000;

/** Series with rollups that this database keeps itself; none where TimescaleDB keeps them (mode `tsl`). */
export async function rolledSources(pool: Pool): Promise<string[]> {
  const result = await pool.query<{ source: string }>(
    "SELECT source FROM rollup_source WHERE huishi_store.mode() <> 'tsl' ORDER BY source",
  );
  return result.rows.map(({ source }) => source);
}

/**
 * Brings the rollups of one series up to the last minute that is over. Resolves false when an old transaction is
 * still open: nothing was rolled up then, and nothing is lost by it.
 */
export async function rollUp(pool: Pool, source: string, signal: AbortSignal): Promise<boolean> {
  const { rows } = await pool.query<{ closing: string }>(
    `UPDATE rollup_source SET closing =
       greatest(closing, huishi_store.time_bucket('1 minute', now() - $2::interval))
     WHERE source = $1 RETURNING closing::text AS closing`,
    [source, CLOSE_AFTER],
  );
  const closing = rows[0]?.closing;
  if (closing === undefined) return true;
  if (!(await writersHaveEnded(pool, signal))) return false;
  await rollUpTo(pool, source, closing, signal);
  return true;
}

/** `closing` is committed: whoever has no transaction id yet will see it, the others are waited for. */
async function writersHaveEnded(pool: Pool, signal: AbortSignal): Promise<boolean> {
  const first = await pool.query<{ xmax: string }>(
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xmax",
  );
  const xmax = first.rows[0]?.xmax;
  for (let waitedMs = 0; waitedMs <= MAX_WAIT_MS; waitedMs += LOOK_MS) {
    const look = await pool.query<{ ended: boolean }>(
      "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS ended",
      [xmax],
    );
    if (look.rows[0]?.ended) return true;
    await sleep(LOOK_MS, signal);
  }
  return false;
}

/** A few hours a call, so that no transaction is long. */
async function rollUpTo(pool: Pool, source: string, closing: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const result = await pool.query<{ done: boolean }>(
      "SELECT coalesce(huishi_store.roll_up($1, $2) >= $2, true) AS done",
      [source, closing],
    );
    if (result.rows[0]?.done) return;
  }
}

/** Makes all rollups anew from the rows, as after a restore. `signal` ends it between two steps. */
export async function rebuildRollups(pool: Pool, signal: AbortSignal): Promise<void> {
  const { rows } = await pool.query<{ name: string; kept: boolean }>(
    "SELECT name, huishi_store.mode() <> 'tsl' AS kept FROM rollup ORDER BY bucket, parent NULLS FIRST",
  );
  for (const { name, kept } of rows) {
    if (kept) await pool.query(`TRUNCATE ${name}_rolled`);
    else await pool.query("CALL refresh_continuous_aggregate($1::text::regclass, NULL, NULL)", [name]);
  }
  await pool.query("UPDATE rollup SET watermark = '-infinity'");
  for (const source of await rolledSources(pool)) await rollUp(pool, source, signal);
}
