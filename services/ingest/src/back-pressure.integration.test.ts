import { connectAgent, createAgent, until } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inventory, publishEvents, runIngest, type RunningIngest } from "./test-support/running-ingest.ts";

const MAX_QUEUED_BYTES = 1024 * 1024;
const AGENTS = 4;
const BATCHES = 40;
/** A message, with what its parsed form takes on top, and what one connection may have read ahead. */
const READ_AHEAD_BYTES = 4 * 512 * 1024;

let running: RunningIngest;
beforeEach(async () => {
  running = await runIngest({ maxQueuedBytes: MAX_QUEUED_BYTES });
});
afterEach(() => running.close());

const queuedBytes = async (): Promise<number> =>
  Number(/huishi_ingest_queue_bytes (\d+)/.exec(await running.ingest.metrics.text())?.[1]);

test("while the database stands still memory stays bounded, and afterwards everything is there", async () => {
  const agents = await Promise.all(Array.from({ length: AGENTS }, () => createAgent(running.pool)));
  const clients = await Promise.all(agents.map((agent) => connectAgent(running.ingest.port, agent)));
  const blocker = await running.pool.connect();
  await blocker.query("BEGIN; LOCK TABLE edge_event IN ACCESS EXCLUSIVE MODE");

  const long = "x".repeat(190);
  const published = agents.flatMap((agent, index) =>
    Array.from({ length: BATCHES }, (_, batch) => {
      const events = Array.from({ length: 100 }, (_, each) =>
        inventory(batch * 100 + each, `camera-${index}`, { manufacturer: long, model: long, serial: long }),
      );
      const client = clients[index];
      return client ? publishEvents(client, agent.id, events) : Promise.reject(new Error("no client"));
    }),
  );
  await until("the queue is full", async () => (await queuedBytes()) >= MAX_QUEUED_BYTES);
  let highest = 0;
  for (let look = 0; look < 20; look++) {
    highest = Math.max(highest, await queuedBytes());
    await running.pool.query("SELECT pg_sleep(0.02)");
  }
  // About 14 MB were sent; without the gate they would all lie here, three times as large.
  expect(highest).toBeLessThan(MAX_QUEUED_BYTES + AGENTS * READ_AHEAD_BYTES);

  await blocker.query("COMMIT");
  blocker.release();
  await Promise.all(published);
  const stored = await running.pool.query("SELECT count(*)::int AS n FROM edge_event");
  expect(stored.rows).toEqual([{ n: AGENTS * BATCHES * 100 }]);
  expect(await queuedBytes()).toBe(0);
  await Promise.all(clients.map((client) => client.endAsync(true)));
});
