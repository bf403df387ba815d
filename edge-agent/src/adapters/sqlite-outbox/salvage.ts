import { crc32 } from "node:zlib";
import type { EventRow } from "./outbox-database.ts";

/** Where rows are read from: `OutboxDatabase.select`. */
interface RowSource {
  select(from: number, before: number, limit: number): EventRow[];
}

const WINDOW = 256;
/** Unreadable places that are looked at one by one; a file with more is read no further. */
const MAX_FAULTS = 20_000;

export interface Salvage {
  /** Places that could not be read: as many events at most are missing, fewer where some were acknowledged. */
  unreadable: number;
  /** Capture time of the last event before the first hole. */
  fromMs: number | null;
}

/**
 * Reads what can still be read of a damaged table, in order, in windows. A window that cannot be read is halved
 * until the damaged pages are left over. Rows whose checksum is wrong count as unreadable.
 */
export async function salvage(
  source: RowSource,
  end: number,
  take: (rows: EventRow[]) => void,
): Promise<Salvage> {
  const result: Salvage = { unreadable: 0, fromMs: null };
  let faults = 0;
  let lastMs: number | null = null;
  const missing = (count: number): void => {
    result.unreadable += count;
    result.fromMs ??= lastMs;
  };
  const readWindow = (from: number, before: number): void => {
    let rows: EventRow[];
    try {
      rows = source.select(from, before, before - from);
    } catch {
      faults += 1;
      const middle = (from + before) >> 1;
      if (before - from === 1 || faults > MAX_FAULTS) return missing(before - from);
      readWindow(from, middle);
      return readWindow(middle, before);
    }
    const sound = rows.filter(({ json, crc }) => crc32(json) === crc);
    if (sound.length < rows.length) missing(rows.length - sound.length);
    lastMs = sound.at(-1)?.capturedAtMs ?? lastMs;
    if (sound.length > 0) take(sound);
  };
  for (let from = firstPosition(source); from < end; from += WINDOW) {
    readWindow(from, Math.min(end, from + WINDOW));
    // Other work goes on between two windows.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return result;
}

/** Skips what was acknowledged long ago, where the first row can be read. */
function firstPosition(source: RowSource): number {
  try {
    return source.select(0, Number.MAX_SAFE_INTEGER, 1)[0]?.position ?? 1;
  } catch {
    return 1;
  }
}
