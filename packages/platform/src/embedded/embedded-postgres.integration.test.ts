import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import { createPool } from "../postgres/pool.ts";
import { EmbeddedPostgres } from "./embedded-postgres.ts";

const logger = createLogger({ name: "test", level: "silent" });
let folder: string;
let dataDir: string;
let running: EmbeddedPostgres | null = null;
const start = async (port = 0): Promise<EmbeddedPostgres> => {
  running = await EmbeddedPostgres.start({ dataDir, port, logger });
  return running;
};
const ask = async (databaseUrl: string, sql: string): Promise<unknown[]> => {
  const pool = createPool(databaseUrl, { max: 1 });
  try {
    return (await pool.query(sql)).rows;
  } finally {
    await pool.end();
  }
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-embedded-"));
  dataDir = path.join(folder, "database");
});
afterEach(async () => {
  await running?.stop();
  running = null;
  await rm(folder, { recursive: true, force: true });
});

test("a second start has the same data at the same address", async () => {
  const first = await start();
  await ask(first.databaseUrl, "CREATE TABLE kept AS SELECT 42 AS n");
  await first.stop();
  const second = await start();
  expect(second.databaseUrl).toBe(first.databaseUrl);
  expect(await ask(second.databaseUrl, "SELECT n FROM kept")).toEqual([{ n: 42 }]);
});

test("it is durable, on loopback only, and asks for the password", async () => {
  const { databaseUrl, port } = await start();
  expect(
    await ask(
      databaseUrl,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
              current_setting('listen_addresses') AS listens`,
    ),
  ).toEqual([{ fsync: "on", commit: "on", listens: "127.0.0.1" }]);
  const guess = `postgres://huishi:guess@127.0.0.1:${port}/huishi`;
  await expect(ask(guess, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
});

test("a start after kill -9 recovers what was committed", async () => {
  const first = await start();
  await ask(first.databaseUrl, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
  process.kill(first.pid, "SIGKILL");
  await first.exited;
  const second = await start();
  expect(await ask(second.databaseUrl, "SELECT count(*)::int AS n FROM kept")).toEqual([{ n: 1000 }]);
});

test("a stale lock file that names a living stranger does not matter", async () => {
  await (await start()).stop();
  await writeFile(path.join(dataDir, "cluster", "postmaster.pid"), `${process.pid}\n`, { mode: 0o600 });
  await start();
});

test("an initdb that was cut off is made anew", async () => {
  const { mkdir } = await import("node:fs/promises");
  await mkdir(path.join(dataDir, "cluster.new"), { recursive: true });
  await writeFile(path.join(dataDir, "cluster.new", "PG_VERSION"), "18\n");
  await start();
});

test("a folder in use is refused", async () => {
  await start();
  await expect(EmbeddedPostgres.start({ dataDir, logger })).rejects.toMatchObject({
    code: "DATABASE_IN_USE",
  });
});

test("a port that is taken is refused when it was asked for, and avoided when it was not", async () => {
  const first = await start();
  await first.stop();
  const squatter = createServer().listen(first.port, "127.0.0.1");
  await new Promise((resolve) => squatter.once("listening", resolve));
  const { port } = squatter.address() as AddressInfo;
  await expect(EmbeddedPostgres.start({ dataDir, port, logger })).rejects.toMatchObject({
    code: "DATABASE_PORT_TAKEN",
  });
  expect((await start()).port).not.toBe(port);
  await new Promise((resolve) => squatter.close(resolve));
});

test("a folder that cannot be used gets a coded error", async () => {
  await writeFile(path.join(folder, "file"), "");
  await chmod(path.join(folder, "file"), 0o600);
  await expect(
    EmbeddedPostgres.start({ dataDir: path.join(folder, "file", "below"), logger }),
  ).rejects.toMatchObject({ code: "DATABASE_FOLDER_UNUSABLE" });
});
