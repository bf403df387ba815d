import fc from "fast-check";
import { appendFile, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventDraft, Log, OutboxBatch } from "../../application/ports.ts";
import { decodeRecords, encodeRecord } from "./record.ts";
import { SegmentOutbox, type SegmentOutboxOptions } from "./segment-outbox.ts";

const ALL = { maxEvents: 1000, maxBytes: 1e9 };
const motion = (capturedAtMs: number): EventDraft => ({
  type: "camera_motion",
  cameraId: "gate",
  active: true,
  capturedAtMs,
});

describe("SegmentOutbox", () => {
  let folder: string;
  let logged: string[];
  const log: Log = {
    info: () => undefined,
    warn: (_fields, message) => void logged.push(message),
    error: (_fields, message) => void logged.push(message),
  };
  const open = (options: Partial<SegmentOutboxOptions> = {}) =>
    SegmentOutbox.open({ folder, log, ...options });
  const fill = async (outbox: SegmentOutbox, count: number, from = 0): Promise<void> => {
    await Promise.all(Array.from({ length: count }, (_, i) => outbox.append(motion(from + i), from + i)));
  };
  const readAll = async (outbox: SegmentOutbox): Promise<OutboxBatch[]> => {
    const batches: OutboxBatch[] = [];
    for (let at = outbox.start; ;) {
      const batch = await outbox.read(at, ALL);
      if (!batch) return batches;
      batches.push(batch);
      at = batch.next;
    }
  };
  const identities = async (outbox: SegmentOutbox): Promise<string[]> =>
    (await readAll(outbox)).flatMap(({ boot, events }) => events.map((event) => `${boot}/${event.seq}`));

  beforeEach(async () => {
    logged = [];
    folder = await mkdtemp(join(tmpdir(), "outbox-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("gives events back in order, numbered without a gap", async () => {
    const outbox = await open();
    await fill(outbox, 30);
    const [batch] = await readAll(outbox);
    expect(batch?.events.map(({ seq, agentAtMs }) => [seq, agentAtMs])).toEqual(
      Array.from({ length: 30 }, (_, i) => [i, i]),
    );
    expect(await outbox.stats()).toMatchObject({ depth: 30, oldestAtMs: 0, dropped: 0 });
    await outbox.close();
  });

  test("keeps boot and number of each event over a kill, and goes on counting under a new boot", async () => {
    const first = await open();
    await fill(first, 5);
    // Not closed: as after a kill.
    const second = await open();
    expect(second.boot).not.toBe(first.boot);
    await fill(second, 2, 100);
    expect(await identities(second)).toEqual([
      ...[0, 1, 2, 3, 4].map((seq) => `${first.boot}/${seq}`),
      ...[5, 6].map((seq) => `${second.boot}/${seq}`),
    ]);
    expect((await readAll(second)).map(({ boot }) => boot)).toEqual([first.boot, second.boot]);
    await Promise.all([first.close(), second.close()]);
  });

  test("cuts off a torn tail and loses nothing before it", async () => {
    const outbox = await open();
    await fill(outbox, 10);
    const name = (await readdir(folder))[0] as string;
    const whole = await readFile(join(folder, name));
    for (const torn of [1, 7, 8, 30]) {
      await writeFile(join(folder, name), whole);
      await truncate(join(folder, name), whole.length - torn);
      const recovered = await open();
      expect(await identities(recovered)).toHaveLength(9);
      await fill(recovered, 1);
      expect(await identities(recovered)).toHaveLength(10);
      await recovered.close();
      await rm(folder, { recursive: true });
      await (await open()).close();
    }
    expect(logged).toContain("outbox file was cut off");
    await outbox.close();
  });

  test("survives garbage at the end of a file", async () => {
    const outbox = await open();
    await fill(outbox, 3);
    await outbox.close();
    const name = (await readdir(folder)).sort()[0] as string;
    await appendFile(join(folder, name), Buffer.from("ffffffff00000000deadbeef", "hex"));
    const recovered = await open();
    expect(await identities(recovered)).toHaveLength(3);
    await recovered.close();
  });

  test("frees files when everything in them is acknowledged, and counts on after a clean end", async () => {
    const outbox = await open({ segmentBytes: 500 });
    for (let i = 0; i < 40; i++) await outbox.append(motion(i), i);
    const filesBefore = (await readdir(folder)).length;
    expect(filesBefore).toBeGreaterThan(3);
    await outbox.acknowledge(40);
    expect((await readdir(folder)).length).toBe(1);
    expect(await outbox.read(outbox.start, ALL)).toBeNull();
    await outbox.close();
    const next = await open();
    expect(await identities(next)).toEqual([]);
    await fill(next, 1);
    expect((await readAll(next))[0]?.events[0]?.seq).toBe(40);
    await next.close();
  });

  test("is bounded: the oldest events go, and are counted", async () => {
    const outbox = await open({ segmentBytes: 1_000, maxBytes: 5_000 });
    for (let i = 0; i < 200; i++) await outbox.append(motion(i), i);
    const stats = await outbox.stats();
    expect(stats.bytes).toBeLessThanOrEqual(6_000);
    expect(stats.dropped).toBeGreaterThan(0);
    expect(stats.depth + stats.dropped).toBe(200);
    expect((await readAll(outbox)).at(-1)?.events.at(-1)?.seq).toBe(199);
    await outbox.close();
  });

  test("cuts batches by number and size, and never mixes boots", async () => {
    const outbox = await open();
    await fill(outbox, 10);
    const small = await outbox.read(outbox.start, { maxEvents: 4, maxBytes: 1e9 });
    expect(small?.events).toHaveLength(4);
    const oneAtLeast = await outbox.read(outbox.start, { maxEvents: 4, maxBytes: 1 });
    expect(oneAtLeast?.events).toHaveLength(1);
    await outbox.close();
  });

  test("wakes a reader when something comes", async () => {
    const outbox = await open();
    const waiting = outbox.waitFor(outbox.start, new AbortController().signal);
    await fill(outbox, 1);
    await waiting;
    await expect(outbox.waitFor(1, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    await outbox.close();
  });

  test("keeps events in memory while the folder cannot be written, and stores them later", async () => {
    const outbox = await open({ retryDelayMs: 20 });
    await fill(outbox, 1);
    await rm(folder, { recursive: true });
    const late = fill(outbox, 3, 10);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(logged).toContain("outbox cannot be written");
    expect((await outbox.stats()).depth).toBe(4);
    await import("node:fs/promises").then(({ mkdir }) => mkdir(folder));
    await late;
    expect((await readAll(outbox)).at(-1)?.events.map(({ agentAtMs }) => agentAtMs)).toEqual([10, 11, 12]);
    await outbox.close();
  });
});

describe("a SegmentOutbox that cannot write", () => {
  test("refuses what does not fit into memory, counts it, and says so to each writer", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outbox-"));
    const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const outbox = await SegmentOutbox.open({ folder, log: silent, retryDelayMs: 20 });
    await rm(folder, { recursive: true });
    const writes = Array.from({ length: 25_000 }, (_, i) => outbox.append(motion(i), i));
    const settled = Promise.allSettled(writes);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await outbox.close();
    const reasons = (await settled).map((one) =>
      one.status === "rejected" ? (one.reason as { code: string }).code : "",
    );
    expect(new Set(reasons)).toEqual(new Set(["OUTBOX_FULL", "STATE_DIR"]));
    expect((await outbox.stats()).dropped).toBe(25_000);
  });
});

describe("outbox records", () => {
  const event = fc.record({ boot: fc.stringMatching(/^[0-9a-f]{16}$/), json: fc.string({ minLength: 1 }) });

  test("come back as they went in, up to any cut", () => {
    fc.assert(
      fc.property(fc.array(event), fc.nat(), (events, seed) => {
        const records = events.map(encodeRecord);
        const bytes = Buffer.concat(records);
        const cut = bytes.length === 0 ? 0 : seed % (bytes.length + 1);
        const { events: read, soundBytes } = decodeRecords(bytes.subarray(0, cut));
        expect(soundBytes).toBeLessThanOrEqual(cut);
        const expected = events.slice(0, read.length).map(({ boot, json }) => ({
          boot,
          json: Buffer.from(json, "utf8").toString("utf8"),
        }));
        expect(read).toEqual(expected);
        if (cut === bytes.length) expect(read).toHaveLength(events.length);
      }),
    );
  });

  test("any flipped bit ends the sound part before it", () => {
    const bytes = Buffer.concat(
      [1, 2, 3].map((n) => encodeRecord({ boot: "0123456789abcdef", json: `{"n":${n}}` })),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        const { events, soundBytes } = decodeRecords(damaged);
        expect(soundBytes).toBeLessThanOrEqual(at);
        expect(events.length).toBeLessThan(3);
      }),
    );
  });
});
