import type { EdgeEvent } from "@huishi/contracts";
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type OutboxDatabase, deviceOf } from "./outbox-database.ts";
import { type SegmentRecord, decodeRecords } from "./segment-record.ts";

const SEGMENT_FILE = /^[0-9]{16}\.events$/;

/**
 * Moves the events of version 0.1's segment files into the database, with the boot and number that the centre may
 * know them by, and deletes the files: one transaction a file, so that a kill in between moves nothing twice.
 *
 * @returns how many events were moved
 */
export async function takeOverSegments(folder: string, database: OutboxDatabase): Promise<number> {
  const names = (await readdir(folder)).filter((name) => SEGMENT_FILE.test(name)).sort();
  let moved = 0;
  for (const name of names) {
    const records = decodeRecords(await readFile(join(folder, name)));
    database.transaction(() => {
      moved += moveRecords(records, database);
      // The name is the number of the file's first event: numbers go on behind it.
      const firstSeq = Number.parseInt(name, 10);
      database.state.nextSeq = Math.max(database.state.nextSeq, firstSeq + records.length);
      database.saveState();
    });
    database.checkpoint(true);
    await rm(join(folder, name));
  }
  return moved;
}

function moveRecords(records: readonly SegmentRecord[], database: OutboxDatabase): number {
  const [first] = records;
  // Killed between commit and deletion: the file is in the database already.
  if (!first || database.holds(first.boot, parse(first).seq)) return 0;
  for (const record of records) {
    const event = parse(record);
    const { nextPosition, heldMs, nextSeq } = database.state;
    database.insert({
      position: nextPosition,
      boot: record.boot,
      seq: event.seq,
      agentAtMs: event.agentAtMs,
      capturedAtMs: event.capturedAtMs,
      type: event.type,
      device: deviceOf(event),
      heldAtMs: heldMs,
      crc: crc32(record.json),
      json: record.json,
    });
    database.state.nextSeq = Math.max(nextSeq, event.seq + 1);
  }
  return records.length;
}

function parse(record: SegmentRecord): EdgeEvent {
  return JSON.parse(record.json) as EdgeEvent;
}
