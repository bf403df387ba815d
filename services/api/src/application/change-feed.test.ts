import type { Change, ServerMessage } from "@huishi/contracts";
import { ManualClock, sleep } from "@huishi/kernel";
import { until } from "@huishi/testkit";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCursors, type Cursor, CURSOR_START, parseCursor } from "../domain/cursor.ts";
import { ChangeFeed, type ChangeReader, type ChangeRow, type ChangeSubscriber } from "./change-feed.ts";

/** An outbox in memory: rows in cursor order, the first `settled` of them readable. */
class MemoryOutbox implements ChangeReader {
  readonly rows: ChangeRow[] = [];
  settled = 0;

  write(count: number): void {
    for (let i = 0; i < count; i++) {
      const id = BigInt(this.rows.length + 1);
      this.rows.push({ tx: id / 3n, id, kind: "deleted", key: `zone-${id}`, what: "zone" });
    }
  }

  head(): Promise<Cursor> {
    return Promise.resolve(this.rows[this.settled - 1] ?? CURSOR_START);
  }

  async read(after: Cursor, limit: number): Promise<{ rows: ChangeRow[]; unsettled: boolean }> {
    await sleep(0);
    const later = this.rows.filter((row) => compareCursors(row, after) > 0);
    const readable = this.rows.slice(0, this.settled);
    const rows = later.filter((row) => readable.includes(row)).slice(0, limit);
    return { rows, unsettled: rows.length < later.length && rows.length < limit };
  }

  reaches(cursor: Cursor): Promise<boolean> {
    return Promise.resolve(this.rows.some((row) => compareCursors(row, cursor) <= 0));
  }

  async describe(rows: readonly ChangeRow[]): Promise<Change[]> {
    await sleep(0);
    return rows.map((row) => ({ kind: "deleted", what: "zone", id: row.key }));
  }
}

class Listener implements ChangeSubscriber {
  readonly ids: string[] = [];
  cursor: Cursor | null = null;
  resumed: boolean | null = null;

  sendText(buffer: Buffer): void {
    const message = JSON.parse(buffer.toString()) as ServerMessage;
    if (message.t === "welcome") this.resumed = message.resumed;
    if (message.t === "changes")
      this.ids.push(...message.changes.map((change) => ("id" in change ? change.id : "")));
    if ("cursor" in message) this.cursor = parseCursor(message.cursor);
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }
}

describe("the change feed", () => {
  it("gives a subscriber that comes and goes every change after its first welcome", async () => {
    const steps = fc.array(
      fc.record({
        write: fc.nat({ max: 40 }),
        lag: fc.nat({ max: 5 }),
        away: fc.boolean(),
        pauseMs: fc.nat({ max: 3 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const outbox = new MemoryOutbox();
        outbox.write(3);
        outbox.settled = 3;
        const feed = new ChangeFeed({ reader: outbox, clock: new ManualClock(0) });
        const stop = new AbortController();
        const running = feed.run(stop.signal);
        const seen: string[] = [];
        let listener = new Listener();
        await feed.join(listener, null, stop.signal);
        for (const { write, lag, away, pauseMs } of script) {
          outbox.write(write);
          outbox.settled = Math.max(outbox.settled, outbox.rows.length - lag);
          feed.wake();
          await sleep(pauseMs);
          if (!away) continue;
          feed.leave(listener);
          seen.push(...listener.ids);
          const { cursor } = listener;
          listener = new Listener();
          await feed.join(listener, cursor, stop.signal);
          expect(listener.resumed).toBe(true);
        }
        outbox.settled = outbox.rows.length;
        feed.wake();
        const expected = outbox.rows.slice(3).map((row) => row.key);
        await until(
          "all",
          () => expected.every((key) => seen.includes(key) || listener.ids.includes(key)),
          5_000,
        );
        stop.abort();
        await running;
      }),
      { numRuns: 25 },
    );
  });

  it("lets nobody join before it knows where it stands", async () => {
    const outbox = new MemoryOutbox();
    outbox.write(10);
    outbox.settled = 10;
    const feed = new ChangeFeed({ reader: outbox, clock: new ManualClock(0) });
    const stop = new AbortController();
    const listener = new Listener();
    const joining = feed.join(listener, outbox.rows[4] ?? CURSOR_START, stop.signal);
    const running = feed.run(stop.signal);
    await joining;
    await until("what was missed", () => listener.ids.length === 5);
    stop.abort();
    await running;
  });

  it("serialises a batch once for all its subscribers", async () => {
    const outbox = new MemoryOutbox();
    const feed = new ChangeFeed({ reader: outbox, clock: new ManualClock(0) });
    const stop = new AbortController();
    const running = feed.run(stop.signal);
    const buffers: Buffer[] = [];
    const subscriber = (): ChangeSubscriber => ({
      sendText: (message) => void buffers.push(message),
      drained: () => Promise.resolve(),
    });
    for (let i = 0; i < 3; i++) await feed.join(subscriber(), null, stop.signal);
    buffers.length = 0;
    outbox.write(5);
    outbox.settled = 5;
    feed.wake();
    await until("three deliveries", () => buffers.length === 3);
    expect(new Set(buffers).size).toBe(1);
    stop.abort();
    await running;
  });
});
