import type { EdgeEvent } from "@huishi/contracts";
import fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { MemoryOutbox } from "../test-support/memory-outbox.ts";
import { alarm, fill, motion } from "../test-support/outbox-contract.ts";
import { OutboxRelay } from "./outbox-relay.ts";
import type { EventLink } from "./ports.ts";

type Batch = Parameters<EventLink["publishBatch"]>[0];

/** A connection whose acknowledgements a test hands out. */
class HandLink implements EventLink {
  isConnected = true;
  readonly batches: { readonly batch: Batch; readonly done: () => void; readonly fail: () => void }[] = [];
  /** Acknowledges by itself. */
  isQuick = false;
  mostOnTheWay = 0;
  #onTheWay = 0;

  run = async (): Promise<void> => undefined;
  publishStatus = async (): Promise<void> => undefined;

  publishBatch(batch: Batch): Promise<void> {
    this.mostOnTheWay = Math.max(this.mostOnTheWay, ++this.#onTheWay);
    return new Promise<void>((resolve, reject) => {
      this.batches.push({ batch, done: resolve, fail: () => reject(new Error("not acknowledged")) });
      if (this.isQuick) resolve();
    }).finally(() => (this.#onTheWay -= 1));
  }

  async waitUntilConnected(signal: AbortSignal): Promise<void> {
    while (!this.isConnected) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  get events(): EdgeEvent[] {
    return this.batches.flatMap(({ batch }) => batch.events);
  }
}

async function whileRelaying(outbox: MemoryOutbox, link: HandLink, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const running = new OutboxRelay(outbox, link).run(stop.signal);
  try {
    await work();
  } finally {
    stop.abort(new Error("stop"));
    for (const { done } of link.batches) done();
    await running.catch(() => undefined);
  }
}

/** Nothing is on its way afterwards, and acknowledgements are by hand. */
async function learnThatTheLineIsQuick(outbox: MemoryOutbox, link: HandLink): Promise<void> {
  link.isQuick = true;
  await fill(outbox, 20);
  await eventually(() => outbox.depth).toBe(0);
  link.isQuick = false;
}

const eventually = (what: () => unknown) => expect.poll(what, { timeout: 15_000, interval: 10 });

describe("OutboxRelay", () => {
  test("sends a short backlog in one lane, in order, with a bounded window", async () => {
    const outbox = new MemoryOutbox();
    const link = new HandLink();
    await whileRelaying(outbox, link, async () => {
      await learnThatTheLineIsQuick(outbox, link);
      await fill(outbox, 3_000, 20);
      await eventually(() => link.batches.length).toBeGreaterThanOrEqual(8);
      await fill(outbox, 10, 3_020);
      link.isQuick = true;
      for (const { done } of link.batches) done();
      await eventually(() => outbox.depth).toBe(0);
    });
    expect(link.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 3_030 }, (_, i) => i));
    expect(link.mostOnTheWay).toBeLessThanOrEqual(8);
  });

  test("sends what is recorded now beside a long backlog", async () => {
    const outbox = new MemoryOutbox();
    const link = new HandLink();
    await fill(outbox, 6_000);
    await whileRelaying(outbox, link, async () => {
      await eventually(() => link.batches.length).toBe(2);
      // Nothing of the backlog is acknowledged, and yet:
      await fill(outbox, 25, 10_000, alarm);
      await eventually(() => link.events.filter(({ type }) => type === "alarm_trigger").length).toBe(25);
      link.isQuick = true;
      for (const { done } of link.batches) done();
      await eventually(() => outbox.depth).toBe(0);
    });
    expect(link.mostOnTheWay).toBeLessThanOrEqual(12);
    const ofBacklog = link.events.filter(({ type }) => type === "camera_motion").map(({ seq }) => seq);
    expect(ofBacklog).toEqual(Array.from({ length: 6_000 }, (_, i) => i));
  });

  test("on a line that is not known yet, what is recorded now does not stand behind a backlog", async () => {
    const outbox = new MemoryOutbox();
    const link = new HandLink();
    await fill(outbox, 2_000);
    await whileRelaying(outbox, link, async () => {
      await eventually(() => link.batches.length).toBe(2);
      await fill(outbox, 25, 10_000, alarm);
      // Two batches of the backlog stand before it, and no more: nothing is known of the line.
      await eventually(() => link.events.filter(({ type }) => type === "alarm_trigger").length).toBe(25);
      expect(link.events.length).toBeLessThan(300);
      link.isQuick = true;
      for (const { done } of link.batches) done();
      await eventually(() => outbox.depth).toBe(0);
    });
    const ofBacklog = link.events.filter(({ type }) => type === "camera_motion").map(({ seq }) => seq);
    expect(ofBacklog).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
  });

  test("falls into two lanes when a slow centre lets a backlog grow", async () => {
    const outbox = new MemoryOutbox();
    const link = new HandLink();
    await whileRelaying(outbox, link, async () => {
      await fill(outbox, 250);
      await eventually(() => link.batches.length).toBe(5);
      await fill(outbox, 6_000, 250);
      for (const { done } of link.batches.slice()) done();
      await eventually(() => link.events.length).toBeGreaterThan(250);
      await fill(outbox, 20, 20_000, alarm);
      await eventually(() => link.events.some(({ type }) => type === "alarm_trigger")).toBe(true);
    });
  });

  test("keeps what is not acknowledged and sends it again, in order", async () => {
    const outbox = new MemoryOutbox();
    const link = new HandLink();
    await fill(outbox, 150);
    await whileRelaying(outbox, link, async () => {
      await eventually(() => link.batches.length).toBe(3);
      link.batches[0]?.done();
      link.batches[1]?.fail();
      link.batches[2]?.fail();
      await eventually(() => link.batches.length).toBe(5);
      expect(outbox.depth).toBe(100);
      expect(link.batches.slice(3).map(({ batch }) => batch.events[0]?.seq)).toEqual([50, 100]);
      link.isQuick = true;
      for (const { done } of link.batches) done();
      await eventually(() => outbox.depth).toBe(0);
    });
  });

  test("delivers everything at least once, whatever fails and whatever is recorded meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ append: fc.nat(120), fails: fc.boolean(), cuts: fc.boolean() }), {
          maxLength: 8,
        }),
        async (steps) => {
          const outbox = new MemoryOutbox();
          const link = new HandLink();
          let atMs = 0;
          await whileRelaying(outbox, link, async () => {
            for (const { append, fails, cuts } of steps) {
              await fill(outbox, append, atMs, motion);
              atMs += append;
              for (let i = 0; i < 20; i++) await turn();
              link.isConnected = !cuts;
              for (const each of link.batches) (fails || cuts ? each.fail : each.done)();
              await turn();
              link.isConnected = true;
            }
            link.isQuick = true;
            for (const { done } of link.batches) done();
            await eventually(() => outbox.depth).toBe(0);
          });
          expect(new Set(link.events.map(({ seq }) => seq)).size).toBe(atMs);
        },
      ),
      { numRuns: 8 },
    );
  });
});
