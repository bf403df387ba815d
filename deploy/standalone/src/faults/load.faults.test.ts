import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultScene } from "./test-support/fault-scene.ts";
import { inForm, note, RECOVERY_MS } from "./test-support/form.ts";

let scene: FaultScene;
beforeEach(async () => {
  scene = await FaultScene.start({ edges: 4 });
}, 120_000);
afterEach(() => scene.close(), 60_000);

const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${scene.ingestPid}/status`, "utf8"))?.[1] ?? 0) / 1024;

test(`a database that stands still for ${inForm(60, 6)} s`, { timeout: 240_000 }, async () => {
  // What an agent has on its way is bounded by its window; the rest waits in its outbox.
  const warm = scene.edges.map((edge) => edge.send({ batches: 40, batchSize: 500 }));
  await Promise.all(warm);
  const beforeMb = residentMb();
  let highestMb = 0;
  const sending = Promise.all(
    scene.edges.map((edge) => edge.send({ batches: inForm(400, 60), batchSize: 500 })),
  );
  await scene.pauseDatabase(inForm(60_000, 6_000), () => (highestMb = Math.max(highestMb, residentMb())));
  expect(await scene.isLive()).toBe(true);
  const recoveryMs = await scene.recovery(RECOVERY_MS);
  await sending;
  const tally = await scene.tally();
  note("SIGSTOP database", { ...tally, recoveryMs, memoryMoreMb: highestMb - beforeMb });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
  expect(highestMb - beforeMb).toBeLessThanOrEqual(150);
});

test("every event three times, in another order each time", { timeout: 120_000 }, async () => {
  const batches = inForm(400, 100);
  await Promise.all(scene.edges.map((edge) => edge.send({ batches, batchSize: 50, copies: 3 })));
  const tally = await scene.tally();
  note("duplicates x3 in shuffled order", { ...tally });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
  expect(tally.acknowledged).toBe(scene.edges.length * batches * 50);
});

test("a poison message among 10,000 events", { timeout: 120_000 }, async () => {
  const [edge, other] = scene.edges;
  const sending = Promise.all(scene.edges.map((each) => each.send({ batches: 50, batchSize: 50 })));
  await edge?.publish('{"v":1,"boot":"00112233aabbccdd","events":[{"type":"observation"},"\u0000", 42]}');
  await edge?.publish(Buffer.from([0xff, 0xfe, 0x00, 0x7b]));
  await other?.publish(JSON.stringify({ v: 1, boot: "nobody", events: [] }));
  await sending;
  const tally = await scene.tally();
  note("poison among 10,000", { ...tally });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, alarms: tally.triggers, acknowledged: 10_000 });
  expect(tally.deadLetters).toBeGreaterThanOrEqual(3);
});

test("a flood of 10,000 events in one second", { timeout: 120_000 }, async () => {
  const startedMs = performance.now();
  const sending = Promise.all(scene.edges.map((edge) => edge.send({ batches: 10, batchSize: 250 })));
  await sending;
  const tally = await scene.tally();
  note("flood of 10,000", {
    ...tally,
    acknowledgedInMs: performance.now() - startedMs,
  });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, acknowledged: 10_000 });
  expect((await scene.readiness()).ready).toBe(true);
});
