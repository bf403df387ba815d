import { ManualClock } from "@huishi/kernel";
import { copyFileSync, existsSync, readdirSync, statSync, truncateSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { alarm, fill, health, motion, readAll, stored } from "../../test-support/outbox-contract.ts";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { SqliteOutbox, type SqliteOutboxOptions } from "./sqlite-outbox.ts";

describe("SqliteOutbox", () => {
  let parent: string;
  let folder: string;
  let log = recordedLog();
  const opened: SqliteOutbox[] = [];
  const open = async (options: Partial<SqliteOutboxOptions> = {}): Promise<SqliteOutbox> => {
    const outbox = await SqliteOutbox.open({ folder, log, gapDelayMs: 3_600_000, ...options });
    opened.push(outbox);
    return outbox;
  };
  const database = (): string => join(folder, "outbox.db");

  beforeEach(async () => {
    log = recordedLog();
    parent = await mkdtemp(join(tmpdir(), "outbox-faults-"));
    folder = join(parent, "outbox");
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((outbox) => outbox.close()));
    await rm(parent, { recursive: true, force: true });
  });

  /** The folder as it is now, as a power cut leaves it, opened from a copy. */
  const copyAfter = async (change: (copy: string) => void): Promise<SqliteOutbox> => {
    const copy = join(parent, `copy-${opened.length}`);
    await cp(folder, copy, { recursive: true });
    change(copy);
    return open({ folder: copy });
  };

  test("a torn log costs nothing that was stored before the cut, wherever it is cut", async () => {
    const outbox = await open();
    const sizes: number[] = [];
    for (let i = 0; i < 12; i++) {
      await outbox.append(motion(i), i);
      sizes.push(statSync(`${database()}-wal`).size);
    }
    const end = sizes.at(-1) as number;
    for (let cut = sizes[0] as number; cut <= end; cut += 997) {
      const torn = await copyAfter((copy) => truncateSync(join(copy, "outbox.db-wal"), cut));
      const whole = sizes.filter((size) => size <= cut).length;
      const seqs = (await stored(torn)).map(({ seq }) => seq);
      expect(seqs.slice(0, whole)).toEqual(Array.from({ length: whole }, (_, i) => i));
      expect(seqs.length).toBeLessThanOrEqual(12);
    }
  });

  test("garbage in the log costs nothing that was stored before it", async () => {
    const outbox = await open();
    const sizes: number[] = [];
    for (let i = 0; i < 8; i++) {
      await outbox.append(motion(i), i);
      sizes.push(statSync(`${database()}-wal`).size);
    }
    const whole = await readFile(`${database()}-wal`);
    for (let at = sizes[0] as number; at < whole.length; at += 1_499) {
      const bent = Buffer.from(whole);
      bent[at] = (bent[at] as number) ^ 0x5a;
      const copy = join(parent, `copy-${opened.length}`);
      await cp(folder, copy, { recursive: true });
      await writeFile(join(copy, "outbox.db-wal"), bent);
      const recovered = await open({ folder: copy });
      const sure = sizes.filter((size) => size <= at).length;
      expect((await stored(recovered)).slice(0, sure).map(({ seq }) => seq)).toEqual(
        Array.from({ length: sure }, (_, i) => i),
      );
    }
  });

  test("a damaged file is kept aside, what can be read goes on, and a gap event says so", async () => {
    const first = await open();
    for (let from = 0; from < 2_000; from += 100) await fill(first, 100, from);
    await first.close();
    const bytes = await readFile(database());
    // Ten pages in the middle of the table.
    bytes.fill(0xa5, 40 * 4096, 50 * 4096);
    await writeFile(database(), bytes);
    const second = await open();
    const events = await stored(second);
    const kept = events.filter(({ type }) => type === "camera_motion");
    expect(kept.length).toBeGreaterThan(1_500);
    expect(kept.length).toBeLessThan(2_000);
    expect(kept.map(({ seq }) => seq)).toEqual(kept.map(({ seq }) => seq).toSorted((a, b) => a - b));
    await second.close();
    const gap = (await stored(await open())).find(({ type }) => type === "outbox_gap");
    expect(gap).toMatchObject({ reason: "damaged", lost: { unknown: 2_000 - kept.length } });
    expect(readdirSync(folder).some((name) => /^outbox\.db\.damaged-\d+$/.test(name))).toBe(true);
    expect(log.lines).toContain("the outbox is damaged");
  });

  test("a file that is no database at all is kept aside, and numbers are not used again within a boot", async () => {
    await mkdir(folder);
    await writeFile(database(), Buffer.alloc(20_000, 7));
    const outbox = await open();
    await fill(outbox, 3, 10);
    const events = await stored(outbox);
    expect(events[0]).toMatchObject({ type: "outbox_gap", reason: "damaged" });
    expect(events.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
  });

  test("an event whose bytes changed on the disk is given up, not sent", async () => {
    const first = await open();
    await fill(first, 5);
    await first.append(alarm(5, "very-special"), 5);
    await fill(first, 5, 6);
    await first.close();
    const bytes = await readFile(database());
    bytes.write("verz", bytes.lastIndexOf("very-special"));
    await writeFile(database(), bytes);
    const second = await open();
    const events = await stored(second);
    expect(events.every(({ type }) => type === "camera_motion")).toBe(true);
    expect(events).toHaveLength(10);
    expect(await second.stats()).toMatchObject({ lost: 1 });
    await second.close();
    const gap = (await stored(await open())).at(-1);
    expect(gap).toMatchObject({
      type: "outbox_gap",
      reason: "damaged",
      lost: { alarm_trigger: 1 },
      fromMs: 5,
    });
  });

  test("a file that somebody removed is written anew with what it held", async () => {
    const outbox = await open({ retryDelayMs: 20 });
    await fill(outbox, 3);
    await rm(folder, { recursive: true });
    await fill(outbox, 2, 3);
    expect((await stored(outbox)).map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
    await outbox.close();
    expect(await stored(await open())).toHaveLength(5);
  });

  test("while the folder cannot be written events wait in memory, and come in in order", async () => {
    const outbox = await open({ retryDelayMs: 20 });
    await fill(outbox, 1);
    await rm(folder, { recursive: true });
    await writeFile(folder, "a file where the folder was");
    const late = fill(outbox, 3, 10);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(outbox.depth).toBe(4);
    expect(log.lines).toContain("outbox cannot be written");
    await rm(folder);
    await late;
    expect((await stored(outbox)).map(({ agentAtMs }) => agentAtMs)).toEqual([0, 10, 11, 12]);
  });

  test("what memory cannot hold is refused by severity, counted, and told later", async () => {
    const outbox = await open({ retryDelayMs: 20 });
    await rm(folder, { recursive: true });
    await writeFile(folder, "a file where the folder was");
    const low = Array.from({ length: 20_500 }, (_, i) => outbox.append(motion(i), i));
    const high = Array.from({ length: 500 }, (_, i) => outbox.append(alarm(i), i));
    const settled = Promise.allSettled(low);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rm(folder);
    await Promise.all(high);
    const refused = (await settled).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect((refused[0] as PromiseRejectedResult).reason).toMatchObject({ code: "OUTBOX_FULL" });
    expect((await outbox.stats()).lost).toBe(refused.length);
    await outbox.close();
    const events = await stored(await open());
    expect(events).toHaveLength(21_000 - refused.length + 1);
    expect(events.at(-1)).toMatchObject({ type: "outbox_gap", lost: { camera_motion: refused.length } });
  });

  test("takes over the former outbox's files once", async () => {
    await mkdir(folder);
    const fixture = new URL("fixtures/0000000000000000.events", import.meta.url);
    copyFileSync(fixture, join(folder, "0000000000000000.events"));
    const outbox = await open();
    const [batch] = await readAll(outbox);
    expect(batch?.boot).toBe("00112233445566ff");
    expect(batch?.events.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(existsSync(join(folder, "0000000000000000.events"))).toBe(false);
    await outbox.close();
    // As if a kill came between the transaction and the deletion.
    copyFileSync(fixture, join(folder, "0000000000000000.events"));
    const again = await open();
    expect(await stored(again)).toHaveLength(3);
    await fill(again, 1);
    expect((await stored(again)).at(-1)?.seq).toBe(3);
  });

  test("a second process with the same folder is told so", async () => {
    await open();
    await expect(open()).rejects.toMatchObject({ code: "STATE_IN_USE" });
  });

  test("refuses an event that no batch could hold, and takes its neighbours", async () => {
    const outbox = await open();
    const data = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, "x".repeat(400)]));
    const huge = { type: "camera_event", cameraId: "gate", topic: "T", data, capturedAtMs: 1 } as const;
    const [refusal] = await Promise.allSettled([outbox.append(huge, 1), outbox.append(motion(2), 2)]);
    expect(refusal).toMatchObject({ reason: { code: "EVENT_TOO_LARGE" } });
    expect(await stored(outbox)).toHaveLength(1);
  });

  test("gives free pages back to the file system when a backlog is gone", async () => {
    const outbox = await open({ careIntervalMs: 5 });
    for (let from = 0; from < 20_000; from += 500) await fill(outbox, 500, from);
    const { size } = await stat(database());
    for (const batch of await readAll(outbox)) await outbox.acknowledge(batch);
    for (let i = 0; i < 400 && (await stat(database())).size > size / 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect((await stat(database())).size).toBeLessThanOrEqual(size / 2);
  });

  describe("age", () => {
    const HOUR_MS = 3_600_000;
    const DAY_MS = 24 * HOUR_MS;
    const clock = new ManualClock(1_800_000_000_000);
    let ranMs = 0;
    const aging = () => open({ clock, monotonicMs: () => ranMs, maxAgeMs: 7 * DAY_MS, careIntervalMs: 5 });
    const care = () => new Promise((resolve) => setTimeout(resolve, 60));

    test("counts running time: a clock set back two hours or forward three days ages nothing", async () => {
      const outbox = await aging();
      await outbox.append(health(clock.nowMs(), "a"), clock.nowMs());
      clock.advance(-2 * HOUR_MS);
      await outbox.append(health(clock.nowMs(), "b"), clock.nowMs());
      clock.advance(2 * HOUR_MS + 3 * DAY_MS);
      await outbox.append(health(clock.nowMs(), "c"), clock.nowMs());
      clock.advance(30 * DAY_MS);
      await care();
      const order = (await stored(outbox)).map((event) => "cameraId" in event && event.cameraId);
      expect(order).toEqual(["a", "b", "c"]);
    });

    test("after the bound in running time, over restarts, the oldest go and are told", async () => {
      const first = await aging();
      await fill(first, 2);
      ranMs += 4 * DAY_MS;
      await fill(first, 3, 10);
      await first.close();
      // A restart: the process counts from zero again.
      ranMs = 0;
      const second = await aging();
      ranMs += 3 * DAY_MS + HOUR_MS;
      await care();
      expect((await stored(second)).map(({ agentAtMs }) => agentAtMs)).toEqual([10, 11, 12]);
      await second.close();
      ranMs = 0;
      expect((await stored(await aging())).at(-1)).toMatchObject({ lost: { camera_motion: 2 } });
    });
  });
});
