// What the edge says of a camera and what the centre sees in its pictures, as people read it.
import { createAgent, createCamera, type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PostgresCameraStore } from "./camera-store.ts";
import { PostgresDeviceStateStore } from "./device-state-store.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  await createCamera(database.pool, agent.id, "cam-1");
});
afterEach(() => database.drop());

test("the list, the camera and the state say the same: a picture that stands still is degraded", async () => {
  const sinceMs = Date.now() - 60_000;
  await database.pool.query(
    `UPDATE camera SET condition = 'online', condition_since = now() - interval '1 hour',
       picture_faults = $1, picture_faults_at = now()`,
    [JSON.stringify([{ fault: "frozen", sinceMs }])],
  );
  const expected = {
    condition: "degraded",
    conditionSinceMs: sinceMs,
    faults: [{ fault: "frozen", sinceMs }],
  };
  const cameras = new PostgresCameraStore(database.pool);
  expect((await cameras.listCameras())[0]).toMatchObject(expected);
  expect(await cameras.findCamera("cam-1")).toMatchObject(expected);
  const states = new PostgresDeviceStateStore(database.pool, database.pool);
  expect((await states.listCameras({ after: null, limit: 10 }))[0]).toMatchObject(expected);
});

test("the edge's word of the camera itself outranks its last pictures", async () => {
  await database.pool.query(
    `UPDATE camera SET condition = 'unreachable', picture_faults = '[{"fault": "black", "sinceMs": 1}]', picture_faults_at = now()`,
  );
  const camera = await new PostgresCameraStore(database.pool).findCamera("cam-1");
  expect(camera).toMatchObject({ condition: "unreachable", faults: null });
});
