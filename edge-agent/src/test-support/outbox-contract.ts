// What every outbox keeps to; the real one and the fake run the same tests.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventDraft, Outbox, OutboxBatch } from "../application/ports.ts";

export interface OutboxUnderTest {
  open(options?: { maxEvents?: number }): Promise<Outbox>;
  /** Forgets everything that was stored. */
  clear(): Promise<void>;
}

const ALL = { maxEvents: 1_000, maxBytes: 1e9 };

export const motion = (capturedAtMs: number, cameraId = "gate"): EventDraft => ({
  type: "camera_motion",
  cameraId,
  active: true,
  capturedAtMs,
});
export const alarm = (capturedAtMs: number, cameraId = "gate"): EventDraft => ({
  type: "alarm_trigger",
  cameraId,
  alarmClass: "intrusion",
  priority: "P1",
  capturedAtMs,
});
export const health = (capturedAtMs: number, cameraId = "gate"): EventDraft => ({
  type: "camera_health",
  cameraId,
  condition: "online",
  capturedAtMs,
});
export const detection = (capturedAtMs: number, cameraId = "gate"): EventDraft => ({
  type: "detection_batch",
  cameraId,
  objects: [{ objectClass: "person", score: 0.5, box: { x: 0.1, y: 0.1, w: 0.2, h: 0.3 } }],
  capturedAtMs,
});

export async function fill(outbox: Outbox, count: number, from = 0, make = motion): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => outbox.append(make(from + i), from + i)));
}

/** Everything that is stored, in batches. */
export async function readAll(outbox: Outbox): Promise<OutboxBatch[]> {
  const batches: OutboxBatch[] = [];
  for (let from = 0; ;) {
    const batch = await outbox.read({ from, ...ALL });
    if (!batch) return batches;
    batches.push(batch);
    from = batch.last + 1;
  }
}

export const stored = async (outbox: Outbox) => (await readAll(outbox)).flatMap(({ events }) => events);

export function outboxContract(name: string, subject: OutboxUnderTest): void {
  describe(`${name} keeps the contract of an outbox:`, () => {
    const opened: Outbox[] = [];
    const open = async (options?: { maxEvents?: number }): Promise<Outbox> => {
      const outbox = await subject.open(options);
      opened.push(outbox);
      return outbox;
    };
    beforeEach(() => subject.clear());
    afterEach(async () => void (await Promise.all(opened.splice(0).map((outbox) => outbox.close()))));

    test("gives events back in order, numbered without a gap", async () => {
      const outbox = await open();
      await fill(outbox, 30);
      expect((await stored(outbox)).map(({ seq, agentAtMs }) => [seq, agentAtMs])).toEqual(
        Array.from({ length: 30 }, (_, i) => [i, i]),
      );
      expect(await outbox.stats()).toMatchObject({ depth: 30, oldestAtMs: 0, lost: 0 });
    });

    test("keeps boot and number over a restart, and goes on counting under a new boot", async () => {
      const first = await open();
      await fill(first, 5);
      await first.close();
      const second = await open();
      await fill(second, 2, 100);
      const batches = await readAll(second);
      expect(batches.map(({ events }) => events.map(({ seq }) => seq))).toEqual([
        [0, 1, 2, 3, 4],
        [5, 6],
      ]);
      expect(batches[0]?.boot).not.toBe(batches[1]?.boot);
      expect(second.depth).toBe(7);
    });

    test("forgets exactly what is acknowledged, in whatever order", async () => {
      const outbox = await open();
      await fill(outbox, 10);
      const batches: OutboxBatch[] = [];
      for (let from = 0; batches.length < 5;) {
        const batch = (await outbox.read({ from, maxEvents: 2, maxBytes: 1e9 })) as OutboxBatch;
        batches.push(batch);
        from = batch.last + 1;
      }
      await outbox.acknowledge(batches[3] as OutboxBatch);
      await outbox.acknowledge(batches[1] as OutboxBatch);
      expect((await stored(outbox)).map(({ seq }) => seq)).toEqual([0, 1, 4, 5, 8, 9]);
      expect(outbox.depth).toBe(6);
      // Acknowledged twice: nothing more goes.
      await outbox.acknowledge(batches[3] as OutboxBatch);
      expect(outbox.depth).toBe(6);
    });

    test("goes on counting when everything was acknowledged before the restart", async () => {
      const first = await open();
      await fill(first, 3);
      for (const batch of await readAll(first)) await first.acknowledge(batch);
      const { end } = first;
      await first.close();
      const second = await open();
      expect(second.end).toBe(end);
      await fill(second, 1);
      expect((await stored(second)).map(({ seq }) => seq)).toEqual([3]);
    });

    test("reads windows by number, size and end", async () => {
      const outbox = await open();
      await fill(outbox, 10);
      expect((await outbox.read({ from: 0, maxEvents: 4, maxBytes: 1e9 }))?.events).toHaveLength(4);
      expect((await outbox.read({ from: 0, maxEvents: 4, maxBytes: 1 }))?.events).toHaveLength(1);
      const first = (await outbox.read({ from: 0, maxEvents: 1, maxBytes: 1 }))?.first as number;
      expect((await outbox.read({ from: first, before: first + 3, ...ALL }))?.events).toHaveLength(3);
      expect(await outbox.read({ from: outbox.end, ...ALL })).toBeNull();
      expect(await outbox.read({ from: 0, before: first, ...ALL })).toBeNull();
    });

    test("wakes a reader when something comes", async () => {
      const outbox = await open();
      const waiting = outbox.waitFor(outbox.end, new AbortController().signal);
      await fill(outbox, 1);
      await waiting;
      await outbox.waitFor(outbox.end - 1, new AbortController().signal);
      const stopped = AbortSignal.abort(new Error("stop"));
      await expect(outbox.waitFor(outbox.end, stopped)).rejects.toThrow("stop");
    });

    test("when full, gives up the oldest of the lowest severity, and tells what is missing", async () => {
      const outbox = await open({ maxEvents: 1_000 });
      await fill(outbox, 100, 0, detection);
      await fill(outbox, 800, 100, motion);
      await fill(outbox, 90, 900, health);
      await fill(outbox, 10, 990, alarm);
      // 1,000 are there: all detections and 50 motions give way to these.
      for (let from = 1_000; from < 1_150; from += 50) await fill(outbox, 50, from, health);
      const types = (await stored(outbox)).map(({ type }) => type);
      const count = (type: string): number => types.filter((each) => each === type).length;
      expect([count("detection_batch"), count("camera_motion")]).toEqual([0, 750]);
      expect([count("camera_health"), count("alarm_trigger")]).toEqual([240, 10]);
      expect(await outbox.stats()).toMatchObject({ depth: 1_000, lost: 150 });
      await outbox.close();
      const gap = (await stored(await open({ maxEvents: 1_000 }))).at(-1);
      // One more motion went for the gap event itself.
      expect(gap).toMatchObject({
        type: "outbox_gap",
        reason: "full",
        lost: { detection_batch: 100, camera_motion: 51 },
        fromMs: 0,
        toMs: 150,
      });
    });
  });
}
