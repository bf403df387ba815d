import { createLogger, createPool, EmbeddedPostgres, migrate } from "@huishi/platform";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStateFolder, type StateFolder } from "../state-folder.ts";
import { openAlone, openToRead } from "./database-of-state.ts";

const logger = createLogger({ name: "test", level: "silent" });
let stateDir: string;
let state: StateFolder | null = null;
let server: EmbeddedPostgres | null = null;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "huishi-backup-state-"));
});
afterEach(async () => {
  await server?.stop();
  await state?.release();
  server = null;
  state = null;
  await rm(stateDir, { recursive: true, force: true });
});

async function makeDatabase(): Promise<EmbeddedPostgres> {
  server = await EmbeddedPostgres.start({ dataDir: join(stateDir, "postgres"), logger });
  await migrate(server.databaseUrl, logger);
  return server;
}

async function isHuishis(databaseUrl: string): Promise<boolean> {
  const pool = createPool(databaseUrl, { max: 1 });
  try {
    return (await pool.query("SELECT 1 FROM schema_migration LIMIT 1")).rowCount === 1;
  } finally {
    await pool.end();
  }
}

test("the database of a running Huishi is found through its state folder, and left running", async () => {
  const running = await makeDatabase();
  // The lock of another process: this one's own would count as stale.
  await writeFile(join(stateDir, "huishi.pid"), `${process.ppid}\n`);
  const found = await openToRead({ stateDir, databaseUrl: null }, logger);
  expect(found).toMatchObject({ isRunning: true, databaseUrl: running.databaseUrl });
  await found.close();
  expect(await isHuishis(running.databaseUrl)).toBe(true);
  await expect(openAlone({ stateDir, databaseUrl: null }, logger)).rejects.toMatchObject({
    code: "STATE_IN_USE",
  });
});

test("the database of a stopped Huishi is started for the backup, and stopped after it", async () => {
  const { databaseUrl } = await makeDatabase();
  await server?.stop();
  const opened = await openToRead({ stateDir, databaseUrl: null }, logger);
  expect(opened.isRunning).toBe(false);
  expect(await isHuishis(opened.databaseUrl)).toBe(true);
  await opened.close();
  await expect(isHuishis(databaseUrl)).rejects.toThrow();
  // Whoever starts Huishi now finds the folder free.
  state = await openStateFolder(stateDir);
});

test("a folder without a database is no source", async () => {
  await expect(openToRead({ stateDir, databaseUrl: null }, logger)).rejects.toMatchObject({
    code: "BACKUP_NOTHING_THERE",
  });
});
