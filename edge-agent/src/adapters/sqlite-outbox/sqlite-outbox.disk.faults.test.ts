import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { alarm, detection, health, motion, readAll, stored } from "../../test-support/outbox-contract.ts";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { SqliteOutbox } from "./sqlite-outbox.ts";

const disk = await mkdtemp(join(tmpdir(), "outbox-disk-"));
const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).status === 0;
if (!isMounted) console.warn("skipped: a small disk cannot be mounted here (needs root)");
afterAll(async () => {
  if (isMounted) spawnSync("umount", ["-l", disk]);
  await rm(disk, { recursive: true, force: true });
});

/** Somebody else's file takes all that is left. */
function fillDisk(): void {
  const file = openSync(join(disk, "somebody-else"), "a");
  for (const size of [65_536, 4_096, 512]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1));
    } catch {
      // full in steps of this size
    }
  }
  closeSync(file);
}

const freeDisk = (): void => rmSync(join(disk, "somebody-else"));
const LOST_LOW = new Set(["detection_batch", "camera_motion"]);

describe.skipIf(!isMounted)("SqliteOutbox on a disk of 4 MB", () => {
  test("that others fill: low severities go and are told, alarms stay, and it recovers when there is room", async () => {
    const folder = join(disk, "outbox");
    const log = recordedLog();
    const options = { folder, log, retryDelayMs: 50, gapDelayMs: 200, careIntervalMs: 50 };
    const outbox = await SqliteOutbox.open(options);
    let atMs = 0;
    const told = { kept: new Map<number, string>(), refused: 0 };
    const record = (): Promise<void>[] =>
      Array.from({ length: 40 }, (_, i) => {
        const id = atMs++;
        const make = i === 0 ? alarm : i < 4 ? health : i < 12 ? motion : detection;
        const draft = make(id, `camera-${i}`);
        return outbox.append(draft, id).then(
          () => void told.kept.set(id, draft.type),
          () => void (told.refused += 1),
        );
      });
    for (let round = 0; round < 50; round++) await Promise.all(record());
    fillDisk();
    const late: Promise<void>[] = [];
    for (let round = 0; round < 150; round++) {
      late.push(...record());
      if (round % 10 === 0) fillDisk();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(log.lines).toContain("the disk is full: the outbox gives up its lowest severities");
    expect(statfsSync(disk).bavail).toBeLessThan(32);
    freeDisk();
    await Promise.all(late);
    await expect.poll(() => log.lines, { timeout: 30_000 }).toContain("the disk has room again");
    await Promise.all(record());
    await outbox.close();

    const again = await SqliteOutbox.open(options);
    const events = await stored(again);
    const found = new Set(events.map(({ capturedAtMs }) => capturedAtMs));
    const alarms = Array.from({ length: atMs / 40 }, (_, round) => round * 40);
    expect(alarms.filter((id) => !found.has(id))).toEqual([]);
    const missing = [...told.kept].filter(([id]) => !found.has(id));
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.filter(([, type]) => !LOST_LOW.has(type))).toEqual([]);
    const gaps = events.filter((event) => event.type === "outbox_gap");
    expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(["disk_full"]));
    const lost = gaps.flatMap((gap) => Object.values(gap.lost)).reduce((sum, n) => sum + n, 0);
    expect(lost).toBe(atMs - events.filter(({ type }) => type !== "outbox_gap").length);
    const seqs = (await readAll(again)).flatMap(({ events: some }) => some.map(({ seq }) => seq));
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    await again.close();
  }, 90_000);

  test("opens on a disk that is full, reads, and makes room by acknowledgement", async () => {
    await rm(join(disk, "outbox"), { recursive: true, force: true });
    const options = { folder: join(disk, "outbox"), log: recordedLog(), retryDelayMs: 20 };
    const first = await SqliteOutbox.open(options);
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => first.append(alarm(i), i)));
    await first.close();
    rmSync(join(disk, "outbox", "outbox.reserve"));
    fillDisk();
    const second = await SqliteOutbox.open(options);
    const batches = await readAll(second);
    expect(batches.flatMap(({ events }) => events)).toHaveLength(3_000);
    freeDisk();
    await second.acknowledge(batches[0] as (typeof batches)[0]);
    await second.append(alarm(9_999), 9_999);
    await second.close();
  });
});
