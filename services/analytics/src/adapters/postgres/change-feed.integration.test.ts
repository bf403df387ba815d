import { GroundPlane } from "@huishi/kernel";
import { createAgent, createCamera, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rule, zone } from "../../application/test-support/tracks.ts";
import type { PlanChange } from "../../application/ports.ts";
import { insertRule, insertZone } from "../../test-support/database-rows.ts";
import { PostgresChangeFeed } from "./change-feed.ts";
import { PostgresPlanStore } from "./plan-store.ts";

let database: TestDatabase;
let stop: AbortController;
let seen: PlanChange[];
let running: Promise<void>;

beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  await createCamera(database.pool, agent.id, "cam-1");
  stop = new AbortController();
  seen = [];
  let ready: () => void;
  const isReady = new Promise<void>((resolve) => (ready = resolve));
  running = new PostgresChangeFeed(database.databaseUrl).run(stop.signal, {
    onReady: () => Promise.resolve(ready()),
    // A change of a moment before may be told again; here that is the camera's own.
    onChanges: (changes) =>
      Promise.resolve(void seen.push(...changes.filter(({ kind }) => kind !== "camera"))),
  });
  running.catch(() => undefined);
  await isReady;
});
afterEach(async () => {
  stop.abort();
  await running.catch(() => undefined);
  await database.drop();
});

describe("PostgresChangeFeed", () => {
  it("tells what was written and deleted, in order", async () => {
    await insertZone(database.pool, zone());
    await insertRule(database.pool, rule());
    await database.pool.query("DELETE FROM rule");
    await until("three changes", () => seen.length >= 3);
    expect(seen).toEqual([
      { kind: "zone", key: "zone-1", what: null },
      { kind: "rule", key: "rule-1", what: null },
      { kind: "deleted", key: "rule-1", what: "rule" },
    ]);
  });

  it("does not skip a row that commits after a younger one", async () => {
    const slow = await database.pool.connect();
    await slow.query("BEGIN");
    await slow.query(
      "INSERT INTO zone (id, camera_id, name, kind, points) VALUES ('z-slow', 'cam-1', 'z', 'line', '[]')",
    );
    await insertZone(database.pool, zone({ id: "z-fast" }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await slow.query("COMMIT");
    slow.release();
    await until("both zones", () => seen.length >= 2);
    expect(seen.map(({ key }) => key).sort()).toEqual(["z-fast", "z-slow"]);
  });

  it("fails plainly when the connection is lost", async () => {
    await database.pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'huishi-analytics-changes' AND datname = current_database()",
    );
    await expect(running).rejects.toThrow();
  });
});

describe("PostgresPlanStore", () => {
  it("reads plans by camera, by zone and by rule", async () => {
    await insertZone(database.pool, zone());
    await insertRule(database.pool, rule());
    await database.pool.query(`UPDATE camera SET streams =
      '[{"profile":"main","codec":"h264","width":1920,"height":1080},{"profile":"sub","codec":"h264","width":640,"height":360}]'`);
    const store = new PostgresPlanStore(database.pool);
    const none = { cameraIds: [], zoneIds: [], ruleIds: [] };
    const [plan] = await store.readAll();
    expect(plan).toEqual({
      cameraId: "cam-1",
      cameraNo: expect.any(Number) as number,
      profiles: ["main", "sub"],
      zones: [zone()],
      rules: [rule()],
      groundPlane: null,
    });
    expect(await store.read({ ...none, cameraIds: ["cam-1"] })).toEqual([plan]);
    expect(await store.read({ ...none, zoneIds: ["zone-1"] })).toEqual([plan]);
    expect(await store.read({ ...none, ruleIds: ["rule-1"] })).toEqual([plan]);
    expect(await store.read(none)).toEqual([]);
  });

  it("reads how the picture lies on the ground, and takes what is unusable for nothing", async () => {
    const corner = (x: number, y: number, latitude: number, longitude: number) => ({
      picture: { x, y },
      position: { latitude, longitude },
    });
    const pairs = [
      corner(0, 1, 31, 121),
      corner(1, 1, 31, 121.001),
      corner(1, 0, 31.001, 121.001),
      corner(0, 0, 31.001, 121),
    ];
    const store = new PostgresPlanStore(database.pool);
    await database.pool.query("INSERT INTO camera_ground_plane (camera_id, pairs) VALUES ('cam-1', $1)", [
      JSON.stringify(pairs),
    ]);
    expect((await store.readAll())[0]?.groundPlane).toEqual(new GroundPlane(pairs));
    await database.pool.query("UPDATE camera_ground_plane SET pairs = '[]'");
    expect((await store.readAll())[0]?.groundPlane).toBeNull();
  });
});
