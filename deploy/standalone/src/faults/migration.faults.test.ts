import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createLogger, migrate } from "@huishi/platform";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultScene } from "./test-support/fault-scene.ts";
import { inForm, note, RECOVERY_MS } from "./test-support/form.ts";

const MIGRATIONS = fileURLToPath(new URL("../../../../packages/platform/migrations/", import.meta.url));
/** Tables that every event is written to, with the locks that writers do not get past. */
const NEXT = `
  ALTER TABLE observation ADD COLUMN quality smallint;
  ALTER TABLE edge_event ADD COLUMN note text DEFAULT 'none';
  CREATE INDEX alarm_captured ON alarm (captured_at);
  ALTER TABLE datastream ADD COLUMN depth_m double precision;`;

let folder: string;
let scene: FaultScene;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-migrations-"));
  for (const name of await readdir(MIGRATIONS))
    await copyFile(path.join(MIGRATIONS, name), path.join(folder, name));
  scene = await FaultScene.start({ edges: 4 });
}, 120_000);
afterEach(async () => {
  await scene.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test("a migration of the busiest tables while agents send", { timeout: 120_000 }, async () => {
  const sending = Promise.all(
    scene.edges.map((edge) => edge.send({ batches: inForm(600, 200), batchSize: 50, pauseMs: 5 })),
  );
  await scene.recovery(RECOVERY_MS);
  await writeFile(path.join(folder, "9999_next.sql"), NEXT);
  const startedMs = performance.now();
  const { applied } = await migrate(scene.databaseUrl, createLogger({ name: "test", level: "silent" }), {
    folder,
  });
  const migratedInMs = performance.now() - startedMs;
  expect(applied).toEqual(["9999_next.sql"]);
  const recoveryMs = await scene.recovery(RECOVERY_MS);
  await sending;
  const tally = await scene.tally();
  note("a migration during ingest", { ...tally, migratedInMs, recoveryMs });
  expect(tally).toMatchObject({ missing: 0, duplicates: 0, deadLetters: 0, alarms: tally.triggers });
});
