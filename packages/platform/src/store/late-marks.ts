import type { ClientBase } from "pg";

/** Series that have rollups. */
export type SeriesName =
  "observation" | "detection" | "track" | "zone_visit" | "zone_occupancy" | "zone_flow" | "line_crossing";

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
 * The statement that tells the rollups of a series which of their closed minutes these rows change. It comes last in
 * the rows' own transaction: when it runs the transaction has its id, on which the rollup job waits.
 */
export function lateMarkStatement(series: SeriesName, timesMs: Iterable<number>): string {
  // Made of digits and our own names alone.
  const minutes = minutesOf(timesMs).map((ms) => new Date(ms).toISOString());
  return `SELECT huishi_store.mark_late('${series}', '{${minutes.join(",")}}')`;
}

/** Runs `lateMarkStatement`; nothing for no rows. */
export async function markLate(
  client: ClientBase,
  series: SeriesName,
  timesMs: readonly number[],
): Promise<void> {
  if (timesMs.length > 0) await client.query(lateMarkStatement(series, timesMs));
}
