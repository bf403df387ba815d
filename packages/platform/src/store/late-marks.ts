import type { ClientBase } from "pg";

const MINUTE_MS = 60_000;

/** The minutes that rows touch, each once. `timesMs`: capture times, epoch milliseconds. */
export function minutesOf(timesMs: Iterable<number>): number[] {
  const minutes = new Set<number>();
  let last = Number.NaN;
  for (const timeMs of timesMs) {
    const minute = timeMs - (timeMs % MINUTE_MS);
    // Rows come in order of time, nearly: most look like the one before.
    if (minute !== last) minutes.add((last = minute));
  }
  return [...minutes];
}

/**
 * Tells the rollups of a series which of their closed minutes these rows change (`huishi_store.mark_late`). Call it last
 * in the rows' own transaction: when it runs the transaction has its id, on which the rollup job waits.
 */
export async function markLate(client: ClientBase, series: string, timesMs: Iterable<number>): Promise<void> {
  const minutes = minutesOf(timesMs);
  if (minutes.length === 0) return;
  await client.query({
    name: "mark-late",
    text: `SELECT huishi_store.mark_late($1, array(SELECT to_timestamp(ms / 1000.0) FROM unnest($2::bigint[]) AS ms))`,
    values: [series, minutes],
  });
}
