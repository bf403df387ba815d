import { copyRows, DETECTION_COLUMNS } from "@huishi/platform";
import {
  createAgent,
  createCamera,
  type TestCamera,
  testDatabase,
  type TestDatabase,
  until,
} from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreUpkeep, type StoreKeeping } from "../../application/store-upkeep.ts";
import { PostgresStoreKeeping } from "./postgres-store-keeping.ts";

const DAY = 86_400_000;
let database: TestDatabase;
let keeping: PostgresStoreKeeping;
let north: TestCamera;
let south: TestCamera;
beforeEach(async () => {
  database = await testDatabase();
  keeping = new PostgresStoreKeeping(database.pool);
  const agent = await createAgent(database.pool);
  north = await createCamera(database.pool, agent.id, "north");
  south = await createCamera(database.pool, agent.id, "south");
});
afterEach(() => database.drop());

const detect = async (daysAgo: readonly number[], camera: TestCamera): Promise<void> => {
  const client = await database.pool.connect();
  const rows = daysAgo.map((days) => [Date.now() - days * DAY, 1, camera.no, 1, 1, 1, 1, 1, 1]);
  await copyRows(client, { table: "detection", columns: DETECTION_COLUMNS }, rows);
  client.release();
};
/** Partitions and chunks as if they had been made when their time began. */
const age = async (): Promise<void> => {
  await keeping.keepPartitions();
  await database.pool.query("UPDATE series_partition SET made_at = from_at");
  const { rows } = await database.pool.query("SELECT 1 FROM store WHERE mode <> 'plain'");
  if (rows.length > 0)
    await database.pool.query(
      "UPDATE _timescaledb_catalog.chunk SET creation_time = now() - interval '900 days'",
    );
};
const daysKept = async (camera: TestCamera): Promise<number[]> => {
  const { rows } = await database.pool.query<{ days: number }>(
    "SELECT round(extract(epoch FROM now() - captured_at) / 86400)::int AS days FROM detection WHERE camera_no = $1 ORDER BY 1",
    [camera.no],
  );
  return rows.map(({ days }) => days);
};
const hold = (fields: { camera?: string; fromDays: number; toDays: number }): Promise<unknown> =>
  database.pool.query(
    `INSERT INTO legal_hold (camera_id, from_at, to_at, reason, placed_by)
     VALUES ($1, now() - $2 * interval '1 day', now() - $3 * interval '1 day', 'case 12', 'test')`,
    [fields.camera ?? null, fields.fromDays, fields.toDays],
  );

describe("retention", () => {
  test("deletes what is older than the policy's maximum, to the row, and nothing younger", async () => {
    await detect([0, 5, 29, 31, 89, 91, 200], north);
    await age();
    const result = await keeping.enforceRetention();
    expect(await daysKept(north)).toEqual([0, 5, 29, 31, 89]);
    expect(result.droppedChunks + result.deletedRows).toBeGreaterThan(0);
    await database.pool.query("UPDATE retention_policy SET max_age = '30 days' WHERE dataset = 'detection'");
    await keeping.enforceRetention();
    expect(await daysKept(north)).toEqual([0, 5, 29]);
  });

  test("keeps what came just now, however old its clock says it is", async () => {
    await detect([91, 800], north);
    await keeping.keepPartitions();
    await keeping.enforceRetention();
    expect(await daysKept(north)).toEqual([91, 800]);
  });

  test("refuses a maximum below the minimum, or too short for late events", async () => {
    const set = (min: string, max: string): Promise<unknown> =>
      database.pool.query(
        "UPDATE retention_policy SET min_age = $1, max_age = $2 WHERE dataset = 'detection'",
        [min, max],
      );
    await expect(set("30 days", "20 days")).rejects.toMatchObject({ code: "23514" });
    await expect(set("0 days", "5 days")).rejects.toMatchObject({ code: "23514" });
  });

  test("spares what a legal hold covers: one camera, or all, until it is released", async () => {
    await detect([100, 120], north);
    await detect([100, 120], south);
    await age();
    await hold({ camera: "north", fromDays: 130, toDays: 110 });
    await keeping.enforceRetention();
    expect(await daysKept(north)).toEqual([120]);
    expect(await daysKept(south)).toEqual([]);
    await database.pool.query("DELETE FROM camera WHERE id = 'north'");
    await keeping.enforceRetention();
    expect(await daysKept(north)).toEqual([120]);
    await database.pool.query("UPDATE legal_hold SET released_at = now()");
    await keeping.enforceRetention();
    expect(await daysKept(north)).toEqual([]);
  });
});

test("one keeper at a time, and another takes over when it is gone", async () => {
  const stops = [new AbortController(), new AbortController()];
  const order: number[] = [];
  const run = (index: number): Promise<void> =>
    keeping
      .asOnlyKeeper(
        async (signal) => {
          order.push(index);
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
        (stops[index] as AbortController).signal,
      )
      .catch(() => undefined);
  const first = run(0);
  await until("the first keeps", () => order.length === 1);
  const second = run(1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(order).toEqual([0]);
  stops[0]?.abort(new Error("stop"));
  await first;
  await until("the second keeps", () => order.length === 2);
  stops[1]?.abort(new Error("stop"));
  await second;
});

test("chunks follow the measured rate", async () => {
  await detect(
    Array.from({ length: 2_000 }, (_, i) => 1 + i / 4_000),
    north,
  );
  await keeping.keepPartitions();
  await database.pool.query("UPDATE series SET target_bytes = 100000 WHERE name = 'detection'");
  await keeping.sizeChunks();
  const { rows } = await database.pool.query<{ hours: number }>(
    "SELECT extract(epoch FROM chunk_interval)::int / 3600 AS hours FROM series WHERE name = 'detection'",
  );
  expect(rows[0]?.hours).toBeLessThan(24);
});

describe("StoreUpkeep", () => {
  test("deletes nothing for a day after the clock was set, and goes on with everything else", async () => {
    const calls: string[] = [];
    let wallMs = 1_000_000;
    let steadyMs = 0;
    const done = new AbortController();
    const fake: StoreKeeping = {
      asOnlyKeeper: (work, signal) => work(signal),
      rollUp: async () => void calls.push("rollUp"),
      keepPartitions: async () => {
        calls.push("keepPartitions");
        // Each turn takes two hours of steady time; before the second the wall clock jumps three days.
        steadyMs += 7_200_000;
        wallMs += 7_200_000 + (calls.filter((c) => c === "keepPartitions").length === 1 ? 3 * DAY : 0);
        if (calls.filter((c) => c === "keepPartitions").length > 3) done.abort();
      },
      sizeChunks: async () => void calls.push("sizeChunks"),
      enforceRetention: async () => {
        calls.push("enforceRetention");
        return { droppedChunks: 0, deletedRows: 0 };
      },
    };
    const upkeep = new StoreUpkeep({
      keeping: fake,
      onFault: () => calls.push("fault"),
      wallMs: () => wallMs,
      steadyMs: () => steadyMs,
    });
    await upkeep.run(done.signal);
    expect(calls.filter((call) => call === "enforceRetention")).toHaveLength(1);
    expect(calls.filter((call) => call === "rollUp").length).toBeGreaterThan(2);
    expect(calls).not.toContain("fault");
  });
});
