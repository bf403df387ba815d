import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../../application/ports.ts";
import type { Loss } from "./loss.ts";
import { OutboxDatabase } from "./outbox-database.ts";
import { salvage } from "./salvage.ts";
import { storageFaultOf } from "./storage-fault.ts";

export interface DatabasePlace {
  readonly file: string;
  readonly log: Log;
  nowMs(): number;
}

/** Opens the outbox's file; a damaged one is kept aside, and what can be read of it is moved over. */
export async function openDatabase(place: DatabasePlace): Promise<OutboxDatabase> {
  let database: OutboxDatabase | null = null;
  let damage: unknown;
  try {
    database = new OutboxDatabase(place.file);
    damage = database.damage;
  } catch (error) {
    if (storageFaultOf(error, true) !== "damaged") throw error;
    damage = error;
  }
  if (database && damage === null) return database;
  place.log.error({ err: damage, file: place.file }, "the outbox is damaged");
  return replaceDamaged(place, database);
}

/**
 * Moves the damaged file aside (`….damaged-<ms>`), opens a new one and salvages into it. What is missing becomes a
 * loss with the reason `damaged` and the type `unknown`.
 *
 * @param damaged null when SQLite cannot even open it
 */
export async function replaceDamaged(
  place: DatabasePlace,
  damaged: OutboxDatabase | null,
): Promise<OutboxDatabase> {
  const aside = `${place.file}.damaged-${place.nowMs()}`;
  await renameWhatIsThere(place.file, aside);
  await renameWhatIsThere(`${place.file}-wal`, `${aside}-wal`);
  const fresh = new OutboxDatabase(place.file);
  if (damaged) await moveRows(place, damaged, fresh);
  else recordLoss(place, fresh, { unreadable: 1, fromMs: null });
  place.log.warn({ aside, events: fresh.count }, "a damaged outbox was kept aside, the rest of it goes on");
  return fresh;
}

/** Somebody removed the file under us: what it held can be read as long as it is open. */
export async function replaceRemoved(place: DatabasePlace, open: OutboxDatabase): Promise<OutboxDatabase> {
  await mkdir(dirname(place.file), { recursive: true, mode: 0o700 });
  const fresh = new OutboxDatabase(place.file);
  await moveRows(place, open, fresh);
  place.log.warn({ events: fresh.count }, "the outbox's file was removed and is written anew");
  return fresh;
}

/** An attempt before this one may have moved it. */
async function renameWhatIsThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

async function moveRows(place: DatabasePlace, from: OutboxDatabase, to: OutboxDatabase): Promise<void> {
  to.state = { ...from.state };
  const result = await salvage(from, from.state.nextPosition, (rows) => {
    to.transaction(() => {
      for (const row of rows) {
        to.insert(row);
        to.state.nextSeq = Math.max(to.state.nextSeq, row.seq + 1);
      }
      to.saveState();
    });
    to.checkpoint(false);
  });
  to.transaction(() => {
    to.addLosses(readLosses(from));
    to.saveState();
  });
  if (result.unreadable > 0) recordLoss(place, to, result);
  from.sqlite.abandon();
}

/** What was given up before and is not told yet. */
function readLosses(from: OutboxDatabase): Loss[] {
  try {
    return from.losses;
  } catch {
    return [];
  }
}

function recordLoss(
  place: DatabasePlace,
  database: OutboxDatabase,
  { unreadable, fromMs }: { unreadable: number; fromMs: number | null },
): void {
  const loss = { reason: "damaged", type: "unknown", count: unreadable } as const;
  database.transaction(() => database.addLosses([{ ...loss, fromMs: fromMs ?? 0, toMs: place.nowMs() }]));
}
