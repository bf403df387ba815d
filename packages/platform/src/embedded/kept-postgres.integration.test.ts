import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import { createPool, type Pool } from "../postgres/pool.ts";
import { KeptPostgres } from "./kept-postgres.ts";

const logger = createLogger({ name: "test", level: "silent" });
let folder: string;
let kept: KeptPostgres;
let pool: Pool;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-kept-"));
  kept = await KeptPostgres.start({ dataDir: path.join(folder, "database"), logger });
  pool = createPool(kept.databaseUrl, { max: 2 });
});
afterEach(async () => {
  await pool.end();
  await kept.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a server that is killed comes back at the same address with what was committed", async () => {
  await pool.query("CREATE TABLE kept AS SELECT 1 AS n");
  for (let round = 2; round <= 3; round++) {
    const { pid } = kept;
    process.kill(pid, "SIGKILL");
    await until("another server answers", async () => {
      await pool.query("SELECT 1");
      return kept.pid !== pid;
    });
    await pool.query("INSERT INTO kept VALUES ($1)", [round]);
  }
  expect((await pool.query("SELECT n FROM kept ORDER BY n")).rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test("one that is stopped stays stopped", async () => {
  const { pid } = kept;
  await pool.query("SELECT 1");
  await kept.stop();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(kept.pid).toBe(pid);
  await expect(pool.query("SELECT 1")).rejects.toThrow();
});
