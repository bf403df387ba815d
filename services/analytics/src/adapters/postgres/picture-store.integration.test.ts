import { createAgent, createCamera, type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PostgresPictureStore } from "./picture-store.ts";

let database: TestDatabase;
let store: PostgresPictureStore;
beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  for (const id of ["cam-1", "cam-2"]) await createCamera(database.pool, agent.id, id);
  await database.pool.query("UPDATE camera SET ptz = (id = 'cam-2')");
  await database.pool.query(`UPDATE camera SET faults = '[{"fault": "clock_drift", "sinceMs": 1}]'`);
  store = new PostgresPictureStore(database.pool);
});
afterEach(() => database.drop());

const frozen = { fault: "frozen" as const, sinceMs: 1_000 };
const moved = { fault: "moved_view" as const, sinceMs: 2_000 };

async function row(id: string): Promise<Record<string, unknown> | undefined> {
  const found = await database.pool.query<Record<string, unknown>>(
    "SELECT faults, picture_faults, picture_faults_at FROM camera WHERE id = $1",
    [id],
  );
  return found.rows[0];
}

async function changes(): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>("SELECT count(*)::int AS n FROM change");
  return rows[0]?.n ?? 0;
}

test("the verdict stands beside the edge's, which stays as it is", async () => {
  await store.writePictures([{ cameraId: "cam-1", faults: [frozen, moved], atMs: 1_700_000_000_000 }]);
  expect(await row("cam-1")).toEqual({
    faults: [{ fault: "clock_drift", sinceMs: 1 }],
    picture_faults: [frozen, moved],
    picture_faults_at: new Date(1_700_000_000_000),
  });
  await store.writePictures([{ cameraId: "cam-1", faults: null, atMs: 1_700_000_001_000 }]);
  expect(await row("cam-1")).toMatchObject({ picture_faults: null });
});

test("a camera that turns has no usual view: of it only what needs none is told", async () => {
  await store.writePictures([
    { cameraId: "cam-2", faults: [frozen, moved], atMs: 1 },
    { cameraId: "no such camera", faults: [], atMs: 1 },
  ]);
  expect(await row("cam-2")).toMatchObject({ picture_faults: [frozen] });
});

test("what changes nothing writes nothing; a fault that is said again refreshes its time", async () => {
  const say = (faults: (typeof frozen)[] | null, atMs: number): Promise<void> =>
    store.writePictures([{ cameraId: "cam-1", faults, atMs }]);
  await say([], 1_000);
  const before = await changes();
  await say([], 2_000);
  expect(await changes()).toBe(before);
  await say([frozen], 3_000);
  await say([frozen], 4_000);
  expect(await row("cam-1")).toMatchObject({ picture_faults_at: new Date(4_000) });
});
