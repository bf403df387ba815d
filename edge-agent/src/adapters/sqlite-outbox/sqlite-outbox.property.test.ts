import { ManualClock } from "@huishi/kernel";
import fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Outbox, OutboxBatch } from "../../application/ports.ts";
import { MemoryOutbox, emptyDisk } from "../../test-support/memory-outbox.ts";
import { alarm, detection, health, motion, stored } from "../../test-support/outbox-contract.ts";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { SqliteOutbox } from "./sqlite-outbox.ts";

const parent = await mkdtemp(join(tmpdir(), "outbox-property-"));
afterAll(() => rm(parent, { recursive: true, force: true }));

const MAKERS = { detection, motion, health, alarm };
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      append: fc.constantFrom(...(Object.keys(MAKERS) as (keyof typeof MAKERS)[])),
      times: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ read: fc.nat(40), most: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 3, arbitrary: fc.record({ acknowledge: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant("reopen" as const) },
);

/** The real outbox beside the fake: the same calls, the same events. */
class Pair {
  readonly #open: () => Promise<[Outbox, Outbox]>;
  #outboxes: [Outbox, Outbox];
  #atMs = 0;
  #batches: [OutboxBatch, OutboxBatch][] = [];

  constructor(open: () => Promise<[Outbox, Outbox]>, outboxes: [Outbox, Outbox]) {
    this.#open = open;
    this.#outboxes = outboxes;
  }

  async append(kind: keyof typeof MAKERS, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const atMs = this.#atMs++;
      await Promise.all(this.#outboxes.map((outbox) => outbox.append(MAKERS[kind](atMs, `c${i % 3}`), atMs)));
    }
  }

  async read(behind: number, most: number): Promise<void> {
    const window = { from: behind, maxEvents: most, maxBytes: 2_000 };
    const [real, fake] = await Promise.all(this.#outboxes.map((outbox) => outbox.read(window)));
    expect(real && { ...real, boot: "" }).toEqual(fake && { ...fake, boot: "" });
    if (real && fake) this.#batches.push([real, fake]);
  }

  async acknowledge(which: number): Promise<void> {
    const [pair] = this.#batches.splice(which % Math.max(1, this.#batches.length), 1);
    if (!pair) return;
    await Promise.all(this.#outboxes.map((outbox, i) => outbox.acknowledge(pair[i] as OutboxBatch)));
  }

  async reopen(): Promise<void> {
    await this.close();
    this.#batches = [];
    this.#outboxes = await this.#open();
  }

  async check(): Promise<void> {
    const [real, fake] = await Promise.all(this.#outboxes.map(stored));
    expect(real).toEqual(fake);
    expect(this.#outboxes[0].end).toBe(this.#outboxes[1].end);
    const [a, b] = await Promise.all(this.#outboxes.map((outbox) => outbox.stats()));
    expect([a?.depth, a?.lost]).toEqual([b?.depth, b?.lost]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.close()));
  }
}

test("behaves as the plain model under any sequence of append, read, acknowledge and reopen", async () => {
  let run = 0;
  const clock = new ManualClock(0);
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 60 }),
      fc.integer({ min: 3, max: 60 }),
      async (operations, maxEvents) => {
        const folder = join(parent, String(run++));
        const options = { folder, log: recordedLog(), clock, maxEvents, gapDelayMs: 3_600_000 };
        const disk = emptyDisk();
        const open = async (): Promise<[Outbox, Outbox]> => [
          await SqliteOutbox.open(options),
          new MemoryOutbox(disk, maxEvents, clock),
        ];
        const pair = new Pair(open, await open());
        for (const op of operations) {
          if (op === "reopen") await pair.reopen();
          else if ("append" in op) await pair.append(op.append, op.times);
          else if ("read" in op) await pair.read(op.read, op.most);
          else await pair.acknowledge(op.acknowledge);
          await pair.check();
        }
        await pair.close();
        await rm(folder, { recursive: true });
      },
    ),
    { numRuns: 60 },
  );
});
