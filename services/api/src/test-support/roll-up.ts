import { sleep } from "@huishi/kernel";
import { type Pool, sqlStateOf } from "@huishi/platform";

/** Rolls everything before `uptoMs` up, as the store keeper (or TimescaleDB's policies) would over time. */
export async function rollUp(pool: Pool, uptoMs: number): Promise<void> {
  const found = await pool.query<{ mode: string }>("SELECT huishi_store.mode() AS mode");
  if (found.rows[0]?.mode === "tsl") await refreshAggregates(pool, uptoMs);
  else await rollUpSeries(pool, uptoMs);
}

async function refreshAggregates(pool: Pool, uptoMs: number): Promise<void> {
  // By the minute first: an aggregate of the hour is made of one of the minute.
  const rollups = await pool.query<{ name: string }>(
    "SELECT name FROM rollup ORDER BY bucket, parent NULLS FIRST, name",
  );
  for (const { name } of rollups.rows) {
    await refreshOne(pool, name, uptoMs);
  }
}

/** lock_not_available: TimescaleDB's own policy refreshes the same one just now. */
const LOCK_NOT_AVAILABLE = "55P03";
const REFRESH_ATTEMPTS = 60;

async function refreshOne(pool: Pool, name: string, uptoMs: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await pool.query(`CALL refresh_continuous_aggregate('${name}', NULL, to_timestamp(${uptoMs / 1000}))`);
      return;
    } catch (thrown) {
      if (sqlStateOf(thrown) !== LOCK_NOT_AVAILABLE || attempt === REFRESH_ATTEMPTS) throw thrown;
      await sleep(1_000);
    }
  }
}

async function rollUpSeries(pool: Pool, uptoMs: number): Promise<void> {
  const sources = await pool.query<{ source: string }>("SELECT source FROM rollup_source ORDER BY source");
  const upto = new Date(uptoMs);
  await pool.query("UPDATE rollup_source SET closing = $1", [upto]);
  for (const { source } of sources.rows) {
    for (;;) {
      const rolled = await pool.query<{ upto: Date | number | null }>(
        "SELECT huishi_store.roll_up($1, $2) AS upto",
        [source, upto],
      );
      const reached = rolled.rows[0]?.upto;
      // A series without rows has no watermark to move, or one at the end of time.
      if (!(reached instanceof Date) || reached.getTime() >= uptoMs) break;
    }
  }
}
