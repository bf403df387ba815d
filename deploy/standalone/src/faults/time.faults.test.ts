import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { sleep } from "@huishi/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultScene } from "./test-support/fault-scene.ts";
import { note, RECOVERY_MS } from "./test-support/form.ts";

/** Debian's package `faketime`: steps the wall clock of one process, and leaves its steady clock alone. */
const LIBRARY = ["x86_64", "aarch64"]
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file));
const HOUR = 3_600_000;

let folder: string;
let scene: FaultScene;
const setClock = (offset: string): Promise<void> => writeFile(path.join(folder, "offset"), `${offset}\n`);
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-clock-"));
  await setClock("+0");
  scene = await FaultScene.start({
    ingestEnv: LIBRARY
      ? {
          LD_PRELOAD: LIBRARY,
          FAKETIME_TIMESTAMP_FILE: path.join(folder, "offset"),
          FAKETIME_NO_CACHE: "1",
          FAKETIME_DONT_FAKE_MONOTONIC: "1",
          DONT_FAKE_MONOTONIC: "1",
        }
      : {},
  });
}, 120_000);
afterEach(async () => {
  await scene.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test(
  "the server's clock, and the agents', set back two hours and forward three days",
  { timeout: 120_000 },
  async ({ skip }) => {
    if (!LIBRARY) {
      skip("needs Debian's package faketime");
      return;
    }
    let agentOffsetMs = 0;
    const clockMs = (): number => Date.now() + agentOffsetMs;
    const slowest: number[] = [];
    for (const [server, agentMs] of [
      ["-2h", 0],
      ["+3d", -2 * HOUR],
      ["+0", 72 * HOUR],
      ["+3d", 72 * HOUR],
    ] as const) {
      const sending = Promise.all(
        scene.edges.map((edge) => edge.send({ batches: 60, batchSize: 50, pauseMs: 5, clockMs })),
      );
      await sleep(100);
      await setClock(server);
      agentOffsetMs = agentMs;
      slowest.push(await scene.recovery(RECOVERY_MS));
      expect(await scene.isLive()).toBe(true);
      await sending;
    }
    const tally = await scene.tally();
    note("clocks stepped", { ...tally, slowestRecoveryMs: Math.max(...slowest) });
    expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
    expect(tally.acknowledged).toBe(scene.edges.length * 4 * 60 * 50);
  },
);
