// The agent's uplink on its worst days, into the real endpoint: nothing is lost, nothing twice, and the present is seen.
import { readdirSync } from "node:fs";
import { sleep } from "@huishi/kernel";
import { type TestDatabase, testDatabase, until, WORST_LINE } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inForm, note } from "./test-support/form.ts";
import { Uplink } from "./test-support/uplink.ts";

const DAY_MS = 24 * 3_600_000;
/** The assignment's bound for what is live while a backlog drains. */
const LIVE_LAG_MS = 5_000;
const LIVE_PER_S = 5;

let database: TestDatabase;
let uplink: Uplink;
beforeEach(async () => {
  database = await testDatabase();
}, 60_000);
afterEach(async () => {
  await uplink.stop();
  await database.drop();
}, 60_000);

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;

/** Live events, and media where it is wanted, until the backlog has gone; then the count at the centre. */
async function drain({ media }: { readonly media: boolean }): Promise<{ readonly mediaDropped: number }> {
  const stop = new AbortController();
  uplink.connect();
  await uplink.waitUntilConnected();
  const live = uplink.recordLive(LIVE_PER_S, stop.signal);
  const sending = media
    ? uplink.sendMedia(stop.signal, { bitsPerSecond: 600_000, ceilingBitsPerSecond: 400_000 })
    : Promise.resolve({ dropped: 0 });
  const startedMs = performance.now();
  const { depth } = uplink.outbox;
  await until("the backlog has gone", () => uplink.outbox.depth < 100, inForm(600_000, 150_000));
  const drainMs = performance.now() - startedMs;
  await sleep(2_000);
  stop.abort(new Error("drained"));
  await live;
  const { dropped } = await sending;
  await until("everything is acknowledged", () => uplink.isDrained, 60_000);
  note("uplink", {
    media: String(media),
    backlog: depth,
    eventsPerSecond: (depth * 1_000) / drainMs,
    live: uplink.liveLagsMs.length,
    liveLagP95Ms: p95(uplink.liveLagsMs),
    liveLagMaxMs: Math.max(...uplink.liveLagsMs),
    mediaUnits: uplink.mediaUnits,
    mediaDropped: dropped,
    stalls: uplink.line.stalls,
  });
  return { mediaDropped: dropped };
}

async function expectAllOnce(): Promise<void> {
  expect(await uplink.stored()).toEqual({ rows: uplink.recorded, distinct: uplink.recorded });
  expect((await uplink.outbox.stats()).lost).toBe(0);
}

test("1 Mbit/s, a fifth lost, 200 ms, while media is wanted", { timeout: 300_000 }, async () => {
  uplink = await Uplink.start(database, WORST_LINE);
  await uplink.fillBacklog(inForm(3_000, 600), 600_000);
  await drain({ media: true });
  await expectAllOnce();
  expect(uplink.mediaUnits).toBeGreaterThan(0);
  expect(p95(uplink.liveLagsMs)).toBeLessThanOrEqual(LIVE_LAG_MS);
});

test("an outage of 24 hours drains over the worst line", { timeout: 900_000 }, async () => {
  uplink = await Uplink.start(database, WORST_LINE);
  await uplink.fillBacklog(inForm(20_000, 8_000), DAY_MS);
  await drain({ media: inForm(true, false) });
  await expectAllOnce();
  // Four batches are on their way at once: the order in which they are acknowledged is that in which they were sent.
  expect(uplink.backlogOrder).toEqual([...uplink.backlogOrder].sort((a, b) => a - b));
  expect(p95(uplink.liveLagsMs)).toBeLessThanOrEqual(LIVE_LAG_MS);
});

test("a line that breaks in every way loses nothing", { timeout: 300_000 }, async () => {
  uplink = await Uplink.start(database, { delayMs: 20 });
  const stop = new AbortController();
  uplink.connect();
  await uplink.waitUntilConnected();
  const live = uplink.recordLive(50, stop.signal);
  for (let round = 0; round < inForm(20, 4); round++) {
    uplink.line.cut();
    await sleep(400);
    uplink.line.reset();
    await sleep(400);
    uplink.line.blackHole();
    await sleep(1_500);
    uplink.line.open();
    await sleep(400);
    uplink.line.refuse();
    await sleep(800);
    uplink.line.open();
    await until("connected again", () => uplink.line.openConnections > 0, 20_000);
  }
  stop.abort(new Error("over"));
  await live;
  await until("everything is acknowledged", () => uplink.isDrained, 60_000);
  await expectAllOnce();
});

test(`${inForm(100, 10)} lost connections leave no descriptor behind`, { timeout: 600_000 }, async () => {
  uplink = await Uplink.start(database, {});
  const stop = new AbortController();
  uplink.connect();
  await until("both connections", () => uplink.line.openConnections === 2);
  const live = uplink.recordLive(20, stop.signal);
  await sleep(1_000);
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const before = descriptors();
  for (let round = 0; round < inForm(100, 10); round++) {
    if (round % 2 === 0) uplink.line.cut();
    else uplink.line.reset();
    await until("both are back", () => uplink.line.openConnections === 2, 20_000);
    await uplink.waitUntilConnected();
  }
  stop.abort(new Error("over"));
  await live;
  await until("everything is acknowledged", () => uplink.isDrained, 60_000);
  // Two sockets a connection and a database connection more or less.
  await until("no descriptor more", () => descriptors() <= before + 8);
  await expectAllOnce();
});
