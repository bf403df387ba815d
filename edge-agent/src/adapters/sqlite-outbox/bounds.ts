import type { OutboxDatabase } from "./outbox-database.ts";

export interface Bounds {
  readonly maxEvents: number;
  /** Of what the file holds, not of the file: pages that are free are used again. */
  readonly maxBytes: number;
}

/** Given up in one transaction at most; a bound that was lowered is reached step by step. */
const SLICE = 1_000;
/** Given up when the bytes are above the bound; they are seen in whole pages only. */
const BYTES_SLICE = 500;

/**
 * Gives up what is above the bounds, with `more` events to come: the lowest severity first, the oldest first within
 * it. Within the caller's transaction.
 *
 * @returns how many were given up
 */
export function giveUpAbove(database: OutboxDatabase, bounds: Bounds, more = 0): number {
  const byNumber = giveUp(database, Math.min(SLICE, database.count + more - bounds.maxEvents));
  if (byNumber > 0 || database.sqlite.usedBytes <= bounds.maxBytes) return byNumber;
  return giveUp(database, BYTES_SLICE);
}

function giveUp(database: OutboxDatabase, count: number): number {
  let left = count;
  while (left > 0) {
    const severity = database.lowestSeverity;
    const gone = severity === null ? 0 : database.giveUp(severity, left, "full");
    if (gone === 0) break;
    left -= gone;
  }
  return Math.max(0, count - Math.max(0, left));
}
