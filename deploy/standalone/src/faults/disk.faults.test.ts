import path from "node:path";
import { sleep } from "@huishi/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultScene } from "./test-support/fault-scene.ts";
import { DISK_RECOVERY_MS, inForm, note } from "./test-support/form.ts";
import { SmallDisk } from "./test-support/small-disk.ts";

let disk: SmallDisk | null = null;
let scene: FaultScene | null = null;
beforeEach(async () => {
  disk = await SmallDisk.mount(320);
  scene =
    disk &&
    (await FaultScene.start({
      databaseFolder: path.join(disk.folder, "database"),
      settings: { max_wal_size: "64MB", min_wal_size: "32MB", shared_buffers: "32MB" },
    }));
}, 120_000);
afterEach(async () => {
  await scene?.close();
  await disk?.unmount();
}, 60_000);

test(`the server's disk full for ${inForm(20, 5)} s`, { timeout: 240_000 }, async ({ skip }) => {
  if (!disk || !scene) {
    skip("needs root and loop devices");
    return;
  }
  const { edges } = scene;
  const sending = Promise.all(
    edges.map((edge) => edge.send({ batches: inForm(600, 200), batchSize: 100, pauseMs: 20 })),
  );
  await scene.recovery(DISK_RECOVERY_MS);
  const empty = await disk.fill(64 * 1024);
  await sleep(inForm(20_000, 5_000));
  expect(await scene.isLive()).toBe(true);
  // It was really full: nobody is acknowledged any more.
  const acknowledged = (): number => edges.reduce((sum, edge) => sum + edge.acknowledgedBatches, 0);
  const before = acknowledged();
  await sleep(1_000);
  expect(acknowledged()).toBe(before);
  await empty();
  const recoveryMs = await scene.recovery(DISK_RECOVERY_MS);
  await sending;
  const tally = await scene.tally();
  note("server disk full", {
    ...tally,
    recoveryMs,
    resent: edges.reduce((sum, { resent }) => sum + resent, 0),
  });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
});
