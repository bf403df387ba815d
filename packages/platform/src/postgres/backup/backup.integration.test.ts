import { fork } from "node:child_process";
import { readFile, stat, truncate, writeFile, readdir, copyFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EmbeddedPostgres } from "../../embedded/embedded-postgres.ts";
import { migrate } from "../migrate.ts";
import { type BackupOptions, createBackup } from "./dump.ts";
import { restoreBackup, type RestoreResult } from "./restore.ts";
import type { RestoreOptions } from "./restore-options.ts";
import { fill, logger, noFiles, onPool, temporaryFolder } from "./test-support/scene.ts";
import { verifyBackup } from "./verify.ts";

const MIGRATIONS = fileURLToPath(new URL("../../../migrations/", import.meta.url));
const TRIGGERS = `SELECT pg_get_triggerdef(pg_trigger.oid) AS made, tgenabled FROM pg_trigger
  JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1`;
const PASSPHRASE = "correct horse battery staple";
const open: TestDatabase[] = [];
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let archive: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  archive = path.join(folder.path, "city.backup");
});
afterEach(async () => {
  for (const database of open.splice(0)) await database.drop();
  await folder.remove();
});

const database = async (): Promise<TestDatabase> => {
  const made = await testDatabase();
  open.push(made);
  return made;
};
const backUp = (databaseUrl: string, more: Partial<BackupOptions> = {}) =>
  createBackup({
    databaseUrl,
    file: archive,
    passphrase: null,
    files: [],
    filesLeftOut: [],
    productVersion: "test",
    ...more,
  });
const restore = (databaseUrl: string, more: Partial<RestoreOptions> = {}): Promise<RestoreResult> =>
  restoreBackup({ databaseUrl, file: archive, passphrase: null, files: noFiles(), logger, ...more });
const countRows = async ({ pool }: TestDatabase, table: string): Promise<number> =>
  Number((await pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

test("a fresh server has the same rows and hashes in every table after a restore, and goes on from there", async () => {
  const source = await database();
  await fill(source.pool, 3000);
  const config = path.join(folder.path, "identity.json");
  await writeFile(config, '{"agentId":"a1"}');
  const { manifest } = await backUp(source.databaseUrl, {
    passphrase: PASSPHRASE,
    files: [{ path: "edge-agent/identity.json", source: config }],
  });
  expect((await stat(archive)).mode & 0o777).toBe(0o600);

  const other = await EmbeddedPostgres.start({ dataDir: path.join(folder.path, "other"), logger });
  try {
    const files = noFiles();
    const result = await restore(other.databaseUrl, { passphrase: PASSPHRASE, files });
    expect(result.foreignTables).toEqual([]);
    expect(files.published).toBe(true);
    expect(files.staged).toEqual(new Map([["edge-agent/identity.json", '{"agentId":"a1"}']]));

    const again = path.join(folder.path, "again.backup");
    const { manifest: second } = await backUp(other.databaseUrl, { file: again });
    expect(second.tables.map(({ name, rows, rowHash }) => ({ name, rows, rowHash }))).toEqual(
      manifest.tables.map(({ name, rows, rowHash }) => ({ name, rows, rowHash })),
    );
    expect(second.sequences).toEqual(manifest.sequences);

    await onPool(other.databaseUrl, async (pool) => {
      expect((await pool.query(TRIGGERS)).rows).toEqual((await source.pool.query(TRIGGERS)).rows);
      // What belongs to the old server stayed there; triggers did not run, and run again now.
      for (const table of ["user_session", "setup_token", "change"]) {
        expect((await pool.query(`SELECT 1 FROM ${table}`)).rowCount).toBe(0);
      }
      const camera = await pool.query(
        "INSERT INTO camera (id, agent_id, name) VALUES ('c3', 'a1', 'new') RETURNING no",
      );
      expect(camera.rows).toEqual([{ no: 3 }]);
      expect((await pool.query("SELECT kind, key FROM change")).rows).toEqual([
        { kind: "camera", key: "c3" },
      ]);
    });
  } finally {
    await other.stop();
  }
});

test("a dump under concurrent writes is of one moment", async () => {
  const source = await database();
  await source.pool.query("CREATE TABLE left_hand (n int); CREATE TABLE right_hand (n int)");
  const stop = new AbortController();
  // One transaction for both tables.
  const insert = `WITH l AS (INSERT INTO left_hand SELECT generate_series(1, 50))
                  INSERT INTO right_hand SELECT generate_series(1, 50)`;
  for (let done = 0; done < 20; done++) await source.pool.query(insert);
  const writer = (async () => {
    while (!stop.signal.aborted) await source.pool.query(insert);
  })();
  const { manifest } = await backUp(source.databaseUrl);
  stop.abort();
  await writer;
  expect(await countRows(source, "left_hand")).toBeGreaterThan(1000);
  const rowsOf = (name: string) => manifest.tables.find((table) => table.name === name)?.rows ?? -1;
  expect(rowsOf("left_hand")).toBeGreaterThanOrEqual(1000);
  expect(rowsOf("left_hand")).toBe(rowsOf("right_hand"));
  expect(await verifyBackup({ file: archive, passphrase: null })).toEqual(manifest);
});

test("any text, bytes and JSON come back as they were", async () => {
  const source = await database();
  const target = await database();
  const table = `CREATE TABLE kept (id int, t text, b bytea, j jsonb, f float8, at timestamptz, n numeric,
                                    twice int GENERATED ALWAYS AS (id * 2) STORED)`;
  await source.pool.query(table);
  await target.pool.query(table);
  // PostgreSQL's text holds neither NUL nor half a surrogate pair.
  const text = fc
    .string({ unit: "binary" })
    .map((value) => Buffer.from(value.replaceAll("\0", "")).toString());
  const row = fc.record({
    t: fc.option(text),
    b: fc.uint8Array({ maxLength: 300 }),
    j: text,
    f: fc.double(),
    at: fc.date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true }),
    n: fc.bigInt(),
  });
  const rows = fc.sample(row, 400);
  for (const [id, { t, b, j, f, at, n }] of rows.entries()) {
    await source.pool.query("INSERT INTO kept VALUES ($1, $2, $3, $4, $5, $6, $7)", [
      id,
      t,
      Buffer.from(b),
      JSON.stringify({ [j]: j, f: String(f) }),
      String(f),
      at,
      String(n),
    ]);
  }
  // One row larger than a part of the archive.
  await source.pool.query("INSERT INTO kept (id, t) VALUES (9999, repeat('汇视', 2000000))");
  const { manifest } = await backUp(source.databaseUrl);
  await restore(target.databaseUrl);
  const all = "SELECT *, md5(t) AS m FROM kept ORDER BY id";
  expect((await target.pool.query(all)).rows).toEqual((await source.pool.query(all)).rows);
  expect(manifest.tables.find(({ name }) => name === "kept")?.rows).toBe(401);
});

test("memory does not grow with the table", async () => {
  const source = await database();
  await fill(source.pool, 200_000);
  let peak = 0;
  const heldBytes = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
  const before = heldBytes();
  const watch = (): void => void (peak = Math.max(peak, heldBytes() - before));
  const timer = setInterval(watch, 5);
  const { manifest } = await backUp(source.databaseUrl, { onProgress: watch });
  const target = await database();
  await restore(target.databaseUrl, { onProgress: watch });
  clearInterval(timer);
  expect(manifest.tables.find(({ name }) => name === "detection")?.rows).toBe(200_000);
  expect(await countRows(target, "detection")).toBe(200_000);
  // Three parts of 4 MiB and what the garbage collector has not seen yet.
  expect(peak).toBeLessThan(96 * 1024 * 1024);
});

test("a database with rows is refused and stays as it is; --replace replaces it", async () => {
  const source = await database();
  const target = await database();
  await fill(source.pool, 10);
  await target.pool.query("INSERT INTO agent (id, name, secret_hash) VALUES ('mine', 'mine', '')");
  await target.pool.query("INSERT INTO setup_token (token_hash) VALUES ('\\x01')");
  await backUp(source.databaseUrl);
  await expect(restore(target.databaseUrl)).rejects.toMatchObject({ code: "RESTORE_TARGET_NOT_EMPTY" });
  expect((await target.pool.query("SELECT id FROM agent")).rows).toEqual([{ id: "mine" }]);
  await restore(target.databaseUrl, { replace: true });
  expect((await target.pool.query("SELECT id FROM agent")).rows).toEqual([{ id: "a1" }]);
  expect(await countRows(target, "setup_token")).toBe(0);
});

test("a wrong passphrase, a missing one, a cut-off or a damaged archive change nothing in the database", async () => {
  const source = await database();
  const target = await database();
  await fill(source.pool, 100);
  await backUp(source.databaseUrl, { passphrase: PASSPHRASE });
  const refused = async (passphrase: string | null, code: string): Promise<void> => {
    await expect(restore(target.databaseUrl, { passphrase })).rejects.toMatchObject({ code });
    expect(await countRows(target, "agent")).toBe(0);
  };
  await refused("not the passphrase", "BACKUP_PASSPHRASE_WRONG");
  await refused(null, "BACKUP_PASSPHRASE_MISSING");
  const bytes = await readFile(archive);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(archive, bytes);
  await refused(PASSPHRASE, "BACKUP_DAMAGED");
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(archive, bytes);
  await truncate(archive, bytes.length - 1000);
  await refused(PASSPHRASE, "BACKUP_DAMAGED");
});

test("rows that differ from the manifest are not committed", async () => {
  const source = await database();
  const target = await database();
  await fill(source.pool, 10);
  await backUp(source.databaseUrl);
  // A database whose column changes what it is given.
  await target.pool.query("ALTER TABLE agent ALTER COLUMN created_at TYPE timestamptz(0)");
  await expect(restore(target.databaseUrl)).rejects.toMatchObject({ code: "RESTORE_DIFFERS" });
  expect(await countRows(target, "agent")).toBe(0);
});

test("somebody's own table is refused unless it shall be passed over", async () => {
  const source = await database();
  const target = await database();
  await source.pool.query("CREATE TABLE scratch AS SELECT 1 AS n");
  await fill(source.pool, 10);
  await backUp(source.databaseUrl);
  await expect(restore(target.databaseUrl)).rejects.toMatchObject({ code: "RESTORE_FOREIGN_TABLES" });
  const { foreignTables } = await restore(target.databaseUrl, { skipForeignTables: true });
  expect(foreignTables).toEqual(["scratch"]);
  expect(await countRows(target, "detection")).toBe(10);
});

test("derived tables are left out, and rollups are made anew", async () => {
  const source = await database();
  const target = await database();
  await fill(source.pool, 7);
  const { manifest } = await backUp(source.databaseUrl);
  expect(manifest.tablesLeftOut.map(({ name }) => name)).toContain("rollup");
  await restore(target.databaseUrl);
  const sum = await target.pool.query(
    "SELECT sum(detections)::int AS n FROM huishi_store.detection_minute('-infinity', 'infinity')",
  );
  expect(sum.rows).toEqual([{ n: 7 }]);
  const marks = await target.pool.query(
    "SELECT watermark > '-infinity' AS rolled FROM rollup WHERE name = 'detection_minute'",
  );
  const { rows } = await target.pool.query<{ mode: string }>("SELECT mode FROM store");
  if (rows[0]?.mode !== "tsl") expect(marks.rows).toEqual([{ rolled: true }]);
});

test("partitions are dumped as their table", async () => {
  const source = await database();
  const target = await database();
  await source.pool.query(`CREATE TABLE reading (at date, v int) PARTITION BY RANGE (at);
    CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE reading_rest PARTITION OF reading DEFAULT;
    INSERT INTO reading VALUES ('2026-01-05', 1), ('2026-03-05', 2)`);
  await target.pool.query("CREATE TABLE reading (at date, v int)");
  const { manifest } = await backUp(source.databaseUrl);
  expect(manifest.tables.map(({ name }) => name).filter((name) => name.startsWith("reading"))).toEqual([
    "reading",
  ]);
  await restore(target.databaseUrl);
  expect(await countRows(target, "reading")).toBe(2);
});

test("an older schema is restored and migrated on; a newer or another one is refused", async () => {
  const old = path.join(folder.path, "old");
  const { mkdir } = await import("node:fs/promises");
  await mkdir(old);
  const [first] = (await readdir(MIGRATIONS)).sort();
  await copyFile(path.join(MIGRATIONS, first!), path.join(old, first!));
  const source = await EmbeddedPostgres.start({ dataDir: path.join(folder.path, "source"), logger });
  const target = await EmbeddedPostgres.start({ dataDir: path.join(folder.path, "target"), logger });
  try {
    await migrate(source.databaseUrl, logger, { folder: old });
    await onPool(source.databaseUrl, (pool) => fill(pool, 10));
    await backUp(source.databaseUrl);
    const { migratedOn } = await restore(target.databaseUrl);
    expect(migratedOn.length).toBeGreaterThan(0);
    await onPool(target.databaseUrl, async (pool) => {
      expect((await pool.query("SELECT 1 FROM detection")).rowCount).toBe(10);
    });
    // The target is at the newest schema now: this archive would not fit it.
    await expect(restore(target.databaseUrl, { replace: true })).rejects.toMatchObject({
      code: "RESTORE_TARGET_NEWER",
    });

    const newer = path.join(folder.path, "newer.backup");
    await backUp(target.databaseUrl, { file: newer });
    await expect(
      restore(source.databaseUrl, { file: newer, migrationsFolder: old, replace: true }),
    ).rejects.toMatchObject({ code: "BACKUP_SCHEMA_NEWER" });
    await writeFile(path.join(old, first!), "SELECT 1");
    await expect(restore(source.databaseUrl, { migrationsFolder: old, replace: true })).rejects.toMatchObject(
      { code: "MIGRATION_CHANGED" },
    );
  } finally {
    await source.stop();
    await target.stop();
  }
});

test("a restore that is killed leaves the database empty, and can be done again", async () => {
  const source = await database();
  const target = await database();
  await fill(source.pool, 300_000);
  await backUp(source.databaseUrl);
  const child = fork(fileURLToPath(new URL("./test-support/restore-child.ts", import.meta.url)), [archive], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source"],
    env: { ...process.env, DATABASE_URL: target.databaseUrl },
  });
  const said = await new Promise((resolve) => child.once("message", resolve));
  expect(said).toBe("loading");
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  expect(await countRows(target, "detection")).toBe(0);
  expect(await countRows(target, "agent")).toBe(0);
  await restore(target.databaseUrl);
  expect(await countRows(target, "detection")).toBe(300_000);
});

test("stopping leaves no file, and no row", async () => {
  const source = await database();
  const target = await database();
  await fill(source.pool, 200_000);
  const stopBackup = new AbortController();
  await expect(
    backUp(source.databaseUrl, {
      signal: stopBackup.signal,
      onProgress: ({ bytes }) => bytes > 5e6 && stopBackup.abort(),
    }),
  ).rejects.toMatchObject({ code: "BACKUP_STOPPED" });
  expect(await readdir(folder.path)).toEqual([]);

  await backUp(source.databaseUrl);
  const stopRestore = new AbortController();
  await expect(
    restore(target.databaseUrl, {
      signal: stopRestore.signal,
      onProgress: ({ phase, bytes }) => phase === "load" && bytes > 5e6 && stopRestore.abort(),
    }),
  ).rejects.toMatchObject({ code: "BACKUP_STOPPED" });
  expect(await countRows(target, "detection")).toBe(0);
});

test("an archive that exists is not overwritten, and a database without Huishi is no source", async () => {
  const source = await database();
  await writeFile(archive, "precious");
  await expect(backUp(source.databaseUrl)).rejects.toMatchObject({ code: "BACKUP_EXISTS" });
  expect(await readFile(archive, "utf8")).toBe("precious");
  await source.pool.query("DROP TABLE schema_migration");
  await expect(backUp(source.databaseUrl, { file: path.join(folder.path, "other") })).rejects.toMatchObject({
    code: "DATABASE_NOT_MIGRATED",
  });
  expect(await readdir(folder.path)).toEqual(["city.backup"]);
});
