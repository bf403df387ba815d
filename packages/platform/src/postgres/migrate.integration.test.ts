import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import { createPool } from "./pool.ts";
import { migrate } from "./migrate.ts";

const logger = createLogger({ name: "test", level: "silent" });
let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  database = await testDatabase();
  folder = await mkdtemp(path.join(tmpdir(), "huishi-migrations-"));
  await cp(fileURLToPath(new URL("../../migrations", import.meta.url)), folder, { recursive: true });
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

test("a database that is up to date is left alone, by several processes at once too", async () => {
  const results = await Promise.all([1, 2, 3].map(() => migrate(database.databaseUrl, logger)));
  expect(results.map((result) => result.applied)).toEqual([[], [], []]);
});

test("a new file is applied once", async () => {
  await writeFile(path.join(folder, "9000_more.sql"), "CREATE TABLE more (id integer)");
  const [first, second] = await Promise.all(
    [1, 2].map(() => migrate(database.databaseUrl, logger, { folder })),
  );
  expect([...(first?.applied ?? []), ...(second?.applied ?? [])]).toEqual(["9000_more.sql"]);
});

test("a file that fails is rolled back whole and named", async () => {
  await writeFile(path.join(folder, "9000_bad.sql"), "CREATE TABLE half (id integer); SELECT 1/0;");
  await expect(migrate(database.databaseUrl, logger, { folder })).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    details: { migration: "9000_bad.sql" },
  });
  expect((await database.pool.query("SELECT to_regclass('half') AS t")).rows[0]).toEqual({ t: null });
});

test("an applied file that was edited is refused", async () => {
  await writeFile(path.join(folder, "0001_initial.sql"), "SELECT 1");
  await expect(migrate(database.databaseUrl, logger, { folder })).rejects.toMatchObject({
    code: "MIGRATION_CHANGED",
  });
});

test.for<[string, (url: URL) => void]>([
  ["nothing listens", (url: URL) => void (url.port = "1")],
  ["the password is wrong", (url: URL) => void (url.password = "wrong")],
  ["the database is absent", (url: URL) => void (url.pathname = "/absent")],
])("when %s the error says so and holds no password", async ([what, spoil], { skip }) => {
  const url = new URL(database.databaseUrl);
  const secret = url.password;
  spoil(url);
  if (what === "the password is wrong" && (await trustsEverybody(url.href)))
    skip("this server asks for no password");
  const failure = await migrate(url.href, logger).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "DATABASE_UNREACHABLE" });
  expect(JSON.stringify(failure) + String(failure)).not.toContain(secret || "wrong");
});

/** A server of `npm run test:storage` may ask for no password: there is nothing to be refused then. */
async function trustsEverybody(databaseUrl: string): Promise<boolean> {
  const pool = createPool(databaseUrl, { max: 1 });
  try {
    await pool.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await pool.end();
  }
}
