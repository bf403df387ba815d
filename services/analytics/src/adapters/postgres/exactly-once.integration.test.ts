import { createPool, type Pool } from "@huishi/platform";
import { type TestDatabase, testDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExactlyOnce } from "./exactly-once.ts";

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await testDatabase();
  pool = createPool(database.databaseUrl, { max: 2, applicationName: "once" });
  await pool.query("CREATE TABLE note (text text)");
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function notes(): Promise<number> {
  const { rows } = await database.pool.query<{ n: string }>("SELECT count(*) AS n FROM note");
  return Number(rows[0]?.n);
}

/** The server commits, but its answer never arrives: the connection dies right after COMMIT was sent. */
function losingTheAnswer(real: Pool): Pool {
  return new Proxy(real, {
    get(target, property) {
      if (property !== "connect") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      }
      return async () => {
        const client = await target.connect();
        const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
        client.query = (async (...args: unknown[]) => {
          const result = await query(...args);
          if (args[0] === "COMMIT") throw new Error("Connection terminated unexpectedly");
          return result;
        }) as typeof client.query;
        return client;
      };
    },
  });
}

describe("ExactlyOnce", () => {
  it("does not repeat a batch whose commit was done though its answer was lost", async () => {
    let isLosing = true;
    const losing = losingTheAnswer(pool);
    const flaky = new Proxy(pool, {
      get: (target, property) => {
        const value: unknown = Reflect.get(isLosing ? losing : target, property);
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
    const once = new ExactlyOnce(flaky);
    const batch = {};
    const write = (): Promise<string> =>
      once.run(batch, async (client) => {
        await client.query("INSERT INTO note VALUES ('x')");
        return "receipt";
      });
    await expect(write()).rejects.toThrow("Connection terminated");
    isLosing = false;
    await expect(write()).resolves.toBe("receipt");
    expect(await notes()).toBe(1);
  });

  it("does repeat a batch whose connection died before the commit", async () => {
    const once = new ExactlyOnce(pool);
    const batch = {};
    let isFirst = true;
    const write = (): Promise<void> =>
      once.run(batch, async (client) => {
        await client.query("INSERT INTO note VALUES ('x')");
        if (!isFirst) return;
        isFirst = false;
        await database.pool.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'once'",
        );
        await client.query("SELECT 1");
      });
    await expect(write()).rejects.toThrow();
    await write();
    expect(await notes()).toBe(1);
  });
});
