import type { EdgeEvent } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { DeadLetter, EventRow } from "../domain/records.ts";
import { GroupCommitter } from "./group-committer.ts";
import type { EventStore, WriteResult } from "./ports.ts";

const row = (seq: number, agentId = "a"): EventRow => ({
  agentId,
  topic: "t",
  boot: "0000000000000000",
  ingestedAtMs: 2,
  event: {
    type: "camera_motion",
    seq,
    capturedAtMs: 1,
    agentAtMs: 1,
    cameraId: "c",
    active: true,
  } as EdgeEvent,
});

/** A store in memory that refuses poison, and fails when it is told to. */
class MemoryStore implements EventStore {
  readonly events: number[] = [];
  readonly deadLetters: DeadLetter[] = [];
  readonly poison: ReadonlySet<number>;
  failures = 0;
  writes = 0;

  constructor(poison: readonly number[] = []) {
    this.poison = new Set(poison);
  }

  async write(events: readonly EventRow[], deadLetters: readonly DeadLetter[]): Promise<WriteResult> {
    this.writes += 1;
    await Promise.resolve();
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("connection lost");
    }
    if (events.some(({ event }) => this.poison.has(event.seq)))
      throw new HuishiError("EVENT_REFUSED", "poison");
    this.events.push(...events.map(({ event }) => event.seq));
    this.deadLetters.push(...deadLetters);
    return { inserted: events.length, duplicates: 0, deadLetters: deadLetters.length };
  }
}

const submit = (committer: GroupCommitter, events: EventRow[], owner: object = committer): Promise<void> =>
  committer.submit({ owner, agentId: events[0]?.agentId ?? "a", events, deadLetters: [], bytes: 100 });

test("every row is committed or a dead letter, once and in order, wherever the poison lies", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(100), { maxLength: 8 }),
      async (sizes, poison) => {
        const store = new MemoryStore(poison);
        const committer = new GroupCommitter({ store, maxRows: 30, lingerMs: 0 });
        let seq = 0;
        await Promise.all(
          sizes.map((size) =>
            submit(
              committer,
              Array.from({ length: size }, () => row(seq++)),
            ),
          ),
        );
        const all = Array.from({ length: seq }, (_, index) => index);
        expect(store.events).toEqual(all.filter((each) => !store.poison.has(each)));
        expect(store.deadLetters.map(({ code }) => code)).toEqual(
          all.filter((each) => store.poison.has(each)).map(() => "REFUSED_BY_DATABASE"),
        );
        expect(committer.queuedBytes).toBe(0);
        await committer.close();
      },
    ),
    { numRuns: 40 },
  );
});

test("a group is one transaction", async () => {
  const store = new MemoryStore();
  const committer = new GroupCommitter({ store, lanes: 1 });
  await Promise.all(Array.from({ length: 50 }, (_, index) => submit(committer, [row(index)])));
  expect(store.writes).toBe(1);
  await committer.close();
});

test("one poison among 1,000 costs about twenty transactions", async () => {
  const store = new MemoryStore([637]);
  const committer = new GroupCommitter({ store });
  await submit(
    committer,
    Array.from({ length: 1_000 }, (_, index) => row(index)),
  );
  expect(store.events).toHaveLength(999);
  expect(store.writes).toBeLessThanOrEqual(22);
  await committer.close();
});

test("while the store is away everything waits, and is full when it is full", async () => {
  const store = new MemoryStore();
  store.failures = 3;
  const faults: unknown[] = [];
  const committer = new GroupCommitter({
    store,
    lanes: 1,
    maxQueuedBytes: 200,
    random: () => 0,
    observe: { retrying: (fault) => faults.push(fault) },
  });
  let rooms = 0;
  committer.onRoom(() => (rooms += 1));
  const both = [submit(committer, [row(1)]), submit(committer, [row(2)])];
  expect(committer.isFull).toBe(true);
  await Promise.all(both);
  expect(store.events).toEqual([1, 2]);
  expect(faults).toHaveLength(3);
  expect([committer.isFull, rooms]).toEqual([false, 1]);
  await committer.close();
});

test("what a closed connection left in the queue is forgotten, and nothing else", async () => {
  const store = new MemoryStore();
  const committer = new GroupCommitter({ store, lanes: 1 });
  const gone = {};
  const forgotten = submit(committer, [row(1)], gone);
  const kept = submit(committer, [row(2)]);
  committer.forget(gone);
  await expect(forgotten).rejects.toMatchObject({ code: "NOT_COMMITTED" });
  await kept;
  expect(store.events).toEqual([2]);
  await committer.close();
  await expect(submit(committer, [row(3)])).rejects.toMatchObject({ code: "NOT_COMMITTED" });
});
