import { testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool, withTransaction } from "./pool.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query("CREATE TABLE note (id bigint)");
});
afterAll(() => database.drop());

test("64-bit numbers keep all their digits", async () => {
  const result = await database.pool.query("SELECT 9007199254740993::bigint AS n");
  expect(result.rows).toEqual([{ n: "9007199254740993" }]);
});

test("a transaction that throws leaves nothing, and its connection goes on", async () => {
  const pool = createPool(database.databaseUrl, { max: 1 });
  const failed = withTransaction(pool, async (client) => {
    await client.query("INSERT INTO note VALUES (1)");
    throw new Error("no");
  });
  await expect(failed).rejects.toThrow("no");
  expect((await pool.query("SELECT * FROM note")).rows).toEqual([]);
  await pool.end();
});

test("a transaction whose connection dies rejects, and the pool goes on with a new one", async () => {
  const pool = createPool(database.databaseUrl, { max: 1 });
  const cut = withTransaction(pool, async (client) => {
    await client.query("SELECT pg_terminate_backend(pg_backend_pid())");
  });
  await expect(cut).rejects.toThrow();
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await pool.end();
});

test("a slow statement is ended by the server", async () => {
  const pool = createPool(database.databaseUrl, { max: 1, statementTimeoutMs: 50 });
  await expect(pool.query("SELECT pg_sleep(5)")).rejects.toMatchObject({ code: "57014" });
  await pool.end();
});

test("a connection that dies in the instant it is handed out does not end the process", async () => {
  const pool = createPool(database.databaseUrl, { max: 1 });
  const client = await pool.connect();
  client.emit("error", new Error("gone"));
  client.release(true);
  await pool.end();
});

test("a transaction that hides a failed statement is not taken for committed", async () => {
  const hiding = withTransaction(database.pool, async (client) => {
    await client.query("INSERT INTO note VALUES (2)");
    await client.query("SELECT 1/0").catch(() => {});
  });
  await expect(hiding).rejects.toMatchObject({ code: "TRANSACTION_ABORTED" });
  expect((await database.pool.query("SELECT * FROM note")).rows).toEqual([]);
});
