import { sleep } from "@huishi/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultScene } from "./test-support/fault-scene.ts";
import { inForm, note, RECOVERY_MS } from "./test-support/form.ts";

let scene: FaultScene;
beforeEach(async () => {
  scene = await FaultScene.start();
}, 120_000);
afterEach(() => scene.close(), 60_000);

const KILLS = inForm(20, 3);

/** Sends while `kill` happens again and again, each time after some more acknowledgements; returns the recoveries. */
async function survive(kill: () => Promise<void>, kills: number): Promise<number[]> {
  const sending = Promise.all(
    scene.edges.map((edge) => edge.send({ batches: kills * 40, batchSize: 50, pauseMs: 20 })),
  );
  const recoveries: number[] = [];
  for (let round = 0; round < kills && scene.edges.some(({ isDone }) => !isDone); round++) {
    await scene.recovery(RECOVERY_MS);
    // Not on a beat with the groups: somewhere within one.
    await sleep(3 + ((round * 7) % 40));
    const before = performance.now();
    await kill();
    await scene.recovery(RECOVERY_MS);
    recoveries.push(performance.now() - before);
  }
  await sending;
  return recoveries;
}

test(`ingest killed with -9 in mid-batch, ${KILLS} times`, { timeout: 300_000 }, async () => {
  const recoveries = await survive(async () => {
    await scene.killIngest();
    await scene.startIngest();
  }, KILLS);
  const tally = await scene.tally();
  note("kill -9 ingest", { kills: recoveries.length, ...tally, slowestRecoveryMs: Math.max(...recoveries) });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
  expect(tally.acknowledged).toBe(scene.edges.length * KILLS * 40 * 50);
  expect(scene.edges.some(({ resent }) => resent > 0)).toBe(true);
});

test(`PostgreSQL killed with -9 in mid-batch, ${inForm(8, 2)} times`, { timeout: 300_000 }, async () => {
  const recoveries = await survive(
    async () => {
      await scene.killDatabase();
      expect(await scene.isLive()).toBe(true);
    },
    inForm(8, 2),
  );
  const tally = await scene.tally();
  note("kill -9 PostgreSQL", {
    kills: recoveries.length,
    ...tally,
    slowestRecoveryMs: Math.max(...recoveries),
  });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
});
