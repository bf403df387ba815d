import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HedgedEvents, type SpareLink } from "./hedged-events.ts";
import type { EventBatch } from "./ports.ts";

interface Sent {
  readonly batch: EventBatch;
  acknowledge(): void;
  fail(): void;
}

class HandLink {
  isConnected = true;
  readonly sent: Sent[] = [];

  publishBatch(batch: EventBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sent.push({ batch, acknowledge: resolve, fail: () => reject(new Error("the connection ended")) });
    });
  }

  get numbers(): number[] {
    return this.sent.map(({ batch }) => numberOf(batch));
  }
}

class HandSpare extends HandLink implements SpareLink {
  readonly name = "spare";
  isOpen = false;
  run = async (): Promise<void> => undefined;
}

/** The number stands in the boot: what an event holds does not matter here. */
const batchOf = (number: number): EventBatch => ({ boot: String(number), events: [] });
const numberOf = ({ boot }: EventBatch): number => Number(boot);

class Scene {
  nowMs = 0;
  stalledMs = 0;
  readonly link = new HandLink();
  readonly spares = [new HandSpare(), new HandSpare()];
  readonly stop = new AbortController();
  readonly acknowledged: number[] = [];
  readonly failed: number[] = [];
  readonly hedged = new HedgedEvents({
    link: this.link,
    spares: this.spares,
    stalledMs: () => this.stalledMs,
    now: () => this.nowMs,
    keep: async (spare, signal) => {
      const opened = spare as HandSpare;
      opened.isOpen = true;
      signal.addEventListener("abort", () => (opened.isOpen = false));
    },
  });

  publish(number: number): void {
    this.hedged.publishBatch(batchOf(number)).then(
      () => this.acknowledged.push(number),
      () => this.failed.push(number),
    );
  }

  /** The line is silent for so much longer. */
  async silence(elapsedMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < elapsedMs; passedMs += 200) {
      this.nowMs += 200;
      this.stalledMs += 200;
      this.hedged.look(this.stop.signal);
      await settled();
    }
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("HedgedEvents", () => {
  test("uses no spare connection while the line answers", async () => {
    const scene = new Scene();
    scene.publish(1);
    scene.nowMs = 10_000;
    scene.hedged.look(scene.stop.signal);
    expect(scene.spares.map(({ isOpen }) => isOpen)).toEqual([false, false]);
    scene.link.sent[0]?.acknowledge();
    await settled();
    expect(scene.acknowledged).toEqual([1]);
  });

  test("leaves a centre alone that is slow while its line answers", async () => {
    const scene = new Scene();
    scene.publish(1);
    for (let turn = 0; turn < 100; turn++) {
      scene.nowMs += 200;
      scene.hedged.look(scene.stop.signal);
    }
    expect(scene.hedged.hedged).toBe(0);
  });

  test("sends everything that waits over a spare connection, oldest first, and takes the first acknowledgement", async () => {
    const scene = new Scene();
    for (const number of [1, 2, 3]) scene.publish(number);
    await scene.silence(800);
    expect(scene.spares[0]?.numbers).toEqual([1, 2, 3]);
    scene.spares[0]?.sent[0]?.acknowledge();
    await settled();
    expect(scene.acknowledged).toEqual([1]);
    // The late acknowledgement of the first connection changes nothing.
    scene.link.sent[0]?.acknowledge();
    await settled();
    expect(scene.acknowledged).toEqual([1]);
  });

  test("asks the next spare when the first is silent as well, and no connection twice at a time", async () => {
    const scene = new Scene();
    scene.publish(1);
    await scene.silence(800);
    scene.publish(2);
    await scene.silence(800);
    expect(scene.spares.map(({ numbers }) => numbers)).toEqual([[1], [1, 2]]);
    await scene.silence(10_000);
    expect(scene.spares.map(({ numbers }) => numbers)).toEqual([[1], [1, 2]]);
  });

  test("goes on without a spare that failed, and rejects with the first connection", async () => {
    const scene = new Scene();
    scene.publish(1);
    await scene.silence(800);
    scene.spares[0]?.sent[0]?.fail();
    await settled();
    expect(scene.failed).toEqual([]);
    scene.link.sent[0]?.fail();
    await settled();
    expect(scene.failed).toEqual([1]);
  });

  test("closes spare connections that are not needed any more", async () => {
    const scene = new Scene();
    scene.publish(1);
    await scene.silence(800);
    expect(scene.spares.map(({ isOpen }) => isOpen)).toEqual([true, true]);
    scene.link.sent[0]?.acknowledge();
    await settled();
    scene.stalledMs = 0;
    scene.nowMs += 300_001;
    scene.hedged.look(scene.stop.signal);
    expect(scene.spares.map(({ isOpen }) => isOpen)).toEqual([false, false]);
  });

  test("keeps the order of first arrivals whatever each connection does", async () => {
    const step = fc.oneof(
      fc.constant({ kind: "publish" as const }),
      fc.constant({ kind: "silence" as const }),
      // Each connection delivers and acknowledges in its own order.
      fc.record({ kind: fc.constant("deliver" as const), connection: fc.nat({ max: 2 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const scene = new Scene();
        const connections = [scene.link, ...scene.spares];
        const delivered = connections.map(() => 0);
        const arrived: number[] = [];
        let published = 0;
        for (const each of steps) {
          if (each.kind === "publish") scene.publish(++published);
          else if (each.kind === "silence") await scene.silence(800);
          else {
            const next = connections[each.connection]?.sent[delivered[each.connection] ?? 0];
            if (next) {
              delivered[each.connection]! += 1;
              const number = numberOf(next.batch);
              if (!arrived.includes(number)) arrived.push(number);
              next.acknowledge();
            }
          }
          await settled();
        }
        expect(arrived).toEqual([...arrived].sort((a, b) => a - b));
        expect([...scene.acknowledged].sort((a, b) => a - b)).toEqual(arrived);
      }),
      { numRuns: 60 },
    );
  });
});
