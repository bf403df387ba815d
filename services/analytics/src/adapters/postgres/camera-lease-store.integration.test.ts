import { createAgent, createCamera, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Worker } from "../../application/camera-leases.ts";
import { PostgresCameraLeaseStore } from "./camera-lease-store.ts";
import { PostgresLeaseFence } from "./lease-fence.ts";

const TIMES = { freshMs: 3_000, graceMs: 0 };
const worker = (id: string, fields: Partial<Worker> = {}): Worker => ({
  id,
  name: id,
  capacity: 1,
  isSuccessor: false,
  ...fields,
});

describe("camera leases in PostgreSQL", () => {
  let database: TestDatabase;
  let stores: PostgresCameraLeaseStore[];
  beforeEach(async () => {
    database = await testDatabase();
    stores = [];
    const agent = await createAgent(database.pool);
    for (const id of ["cam-1", "cam-2", "cam-3"]) await createCamera(database.pool, agent.id, id);
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await database.drop();
  });

  function open(): PostgresCameraLeaseStore {
    const store = new PostgresCameraLeaseStore(database.databaseUrl);
    stores.push(store);
    return store;
  }

  async function offered(store: PostgresCameraLeaseStore, ...ids: string[]): Promise<void> {
    await store.offer(ids.map((cameraId) => ({ cameraId, weight: 1 })));
  }

  it("gives a camera to one of many that ask at once", async () => {
    const racers = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const store = open();
        await store.register(worker(`w-${i}`), 60_000);
        return store;
      }),
    );
    await offered(racers[0] as PostgresCameraLeaseStore, "cam-1", "cam-2", "cam-3");
    const taken = await Promise.all(
      racers.map((store, i) => store.take(`w-${i}`, ["cam-1", "cam-2", "cam-3"])),
    );
    expect(taken.flat().sort()).toEqual(["cam-1", "cam-2", "cam-3"]);
  });

  it("frees what a late worker held, which then cannot come back, and counts the epoch on", async () => {
    const [late, other] = [open(), open()];
    await late.register(worker("late"), 1);
    await offered(late, "cam-1");
    await late.take("late", ["cam-1"]);
    await other.register(worker("other"), 60_000);
    const survey = await other.survey("other", TIMES);
    expect(survey.free).toEqual([{ cameraId: "cam-1", weight: 1 }]);
    expect(survey.workers.map(({ id }) => id)).toEqual(["other"]);
    expect(await late.renew("late", 60_000)).toBe(false);
    await expect(late.take("late", ["cam-1"])).rejects.toThrow();
    await other.take("other", ["cam-1"]);
    const { rows } = await database.pool.query("SELECT worker, epoch FROM camera_lease");
    expect(rows).toEqual([{ worker: "other", epoch: "2" }]);
  });

  it("calls nobody late for a while after the database's start", async () => {
    const [late, other] = [open(), open()];
    await late.register(worker("late"), 1);
    await other.register(worker("other"), 60_000);
    const { workers } = await other.survey("other", { freshMs: 3_000, graceMs: 24 * 3_600_000 });
    expect(workers.map(({ id }) => id).sort()).toEqual(["late", "other"]);
    expect((await other.survey("other", TIMES)).workers.map(({ id }) => id)).toEqual(["other"]);
  });

  it("renews a late worker that nobody has missed yet", async () => {
    const store = open();
    await store.register(worker("a"), 1);
    await offered(store, "cam-1");
    await store.take("a", ["cam-1"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await store.renew("a", 60_000)).toBe(true);
    expect((await store.survey("a", TIMES)).mine).toEqual([{ cameraId: "cam-1", weight: 1 }]);
  });

  it("takes over at once from the one before of the same name, where its death is certain", async () => {
    const [before, after] = [open(), open()];
    await before.register(worker("boot-1", { name: "site" }), 60_000);
    await offered(before, "cam-1");
    await before.take("boot-1", ["cam-1"]);
    await after.register(worker("boot-2", { name: "site", isSuccessor: true }), 60_000);
    expect(await after.take("boot-2", ["cam-1"])).toEqual(["cam-1"]);
  });

  it("tells the others, and not itself, when it gives up or leaves", async () => {
    const [a, b] = [open(), open()];
    const heard: string[] = [];
    a.onStir(() => heard.push("a"));
    b.onStir(() => heard.push("b"));
    await a.register(worker("a"), 60_000);
    await b.register(worker("b"), 60_000);
    await offered(a, "cam-1");
    await a.take("a", ["cam-1"]);
    await a.giveUp("a", ["cam-1"]);
    await until("b hears", () => heard.length === 1);
    await b.leave("b");
    await until("a hears", () => heard.length === 2);
    expect(heard).toEqual(["b", "a"]);
  });

  it("makes no lease on a camera that is gone, and forgets it with the camera", async () => {
    const store = open();
    await store.register(worker("a"), 60_000);
    await offered(store, "cam-1", "no-such-camera");
    await store.take("a", ["cam-1"]);
    await database.pool.query("DELETE FROM camera WHERE id = 'cam-1'");
    const { mine, free } = await store.survey("a", TIMES);
    expect([...mine, ...free]).toEqual([]);
  });

  it("connects again after its connection was cut", async () => {
    const store = open();
    await store.register(worker("a"), 60_000);
    await database.pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'huishi-analytics-leases'",
    );
    await store.renew("a", 60_000).catch(() => undefined);
    await until("it renews", () => store.renew("a", 60_000).catch(() => false));
  });

  it("knows which cameras have become another's, and since when", async () => {
    const [a, b] = [open(), open()];
    await a.register(worker("a"), 60_000);
    await b.register(worker("b"), 60_000);
    await offered(a, "cam-1", "cam-2", "cam-3");
    await a.take("a", ["cam-1"]);
    await b.take("b", ["cam-2"]);
    const fence = new PostgresLeaseFence(database.pool, () => ["a"]);
    const cameraIds = ["cam-1", "cam-2", "cam-3"];
    const [takeover, ...others] = await fence.takeovers({ cameraIds });
    expect(others).toEqual([]);
    expect(takeover?.cameraId).toBe("cam-2");
    expect(Math.abs((takeover?.takenAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await fence.takeovers({ cameraNos: [takeover?.cameraNo ?? 0] })).toEqual([takeover]);
  });
});
