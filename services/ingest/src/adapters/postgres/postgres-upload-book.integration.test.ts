import { testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { PostgresUploadBook } from "./postgres-upload-book.ts";

let database: TestDatabase;
let book: PostgresUploadBook;
beforeAll(async () => {
  database = await testDatabase();
  book = new PostgresUploadBook(database.pool);
  await database.pool.query(
    "INSERT INTO agent (id, name, secret_hash) VALUES ('agent-1', 'Gate', '\\x00'), ('agent-2', 'Yard', '\\x01')",
  );
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query("TRUNCATE agent_upload"));

const add = (id: string, upload: { state?: string; bytes?: number; age?: string } = {}) =>
  database.pool.query(
    `INSERT INTO agent_upload (id, agent_id, kind, requested_by, state, bytes, created_at, progress_at)
     VALUES ($1, 'agent-1', 'logs', 'admin', $2, $3, now() - $4::interval, now() - $4::interval)`,
    [id, upload.state ?? "ready", upload.bytes ?? 0, upload.age ?? "0"],
  );

test("an upload is wanted of the agent that was asked, until it is complete", async () => {
  await add("a", { state: "sent" });
  expect(await book.wanted("agent-1", "a")).toBe("logs");
  expect(await book.wanted("agent-2", "a")).toBe(null);
  await book.progress("a", 10);
  expect(await book.wanted("agent-1", "a")).toBe("logs");
  await book.ready("a", { bytes: 20, sha256: "ab" });
  expect(await book.wanted("agent-1", "a")).toBe(null);
  await book.failed("a", "LATE", "too late");
  const { rows } = await database.pool.query("SELECT state, bytes, code FROM agent_upload");
  expect(rows).toEqual([{ state: "ready", bytes: "20", code: null }]);
});

test("what is a week old goes, and the oldest of what is above the limit; what still comes stays", async () => {
  await add("newest", { bytes: 600, age: "1 hour" });
  await add("older", { bytes: 300, age: "2 days" });
  await add("oldest", { bytes: 300, age: "3 days" });
  await add("ancient", { state: "failed", age: "8 days" });
  await add("coming", { state: "receiving", bytes: 5_000, age: "9 days" });
  expect((await book.surplus({ days: 7, bytes: 1_000 })).toSorted()).toEqual(["ancient", "oldest"]);
  await book.forget(["ancient", "oldest"]);
  expect(await book.surplus({ days: 7, bytes: 1_000 })).toEqual([]);
});

test("what stands still is given up", async () => {
  await add("still", { state: "receiving", age: "2 hours" });
  await add("moving", { state: "receiving" });
  expect(await book.stalled(60)).toEqual(["still"]);
  expect(await book.wanted("agent-1", "still")).toBe(null);
  expect(await book.wanted("agent-1", "moving")).toBe("logs");
});
