import { randomBytes } from "node:crypto";
import { testDatabase, type TestDatabase } from "@huishi/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CopyColumn } from "./binary-copy.ts";
import { copyRows } from "./copy-rows.ts";
import { withTransaction } from "./pool.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query(`CREATE TABLE every_type (
    b boolean, i2 smallint, i4 integer, i8 bigint, f8 double precision, t text, ts timestamptz, j jsonb, bin bytea)`);
  await database.pool.query("CREATE TABLE wide (n integer PRIMARY KEY, bin bytea)");
});
afterAll(() => database.drop());

const EVERY: CopyColumn[] = [
  { name: "b", type: "bool" },
  { name: "i2", type: "int2" },
  { name: "i4", type: "int4" },
  { name: "i8", type: "int8" },
  { name: "f8", type: "float8" },
  { name: "t", type: "text" },
  { name: "ts", type: "timestamptz" },
  { name: "j", type: "jsonb" },
  { name: "bin", type: "bytea" },
];
const WIDE: CopyColumn[] = [
  { name: "n", type: "int4" },
  { name: "bin", type: "bytea" },
];

test("every type comes back as it went in", async () => {
  const rows = [
    [
      true,
      -32768,
      2147483647,
      9223372036854775807n,
      -0.1,
      "区域入侵 '\"\\\t\n😀",
      new Date(1_700_000_000_123),
      { a: [1, "二"] },
      Buffer.from([0, 255]),
    ],
    [false, 32767, -2147483648, "-9223372036854775808", 1e300, "", 0, "text", new Uint8Array()],
    [null, null, null, -5_000_000_000, null, null, -62_135_596_800_000, null, null],
    [null, undefined, 0, Number.MAX_SAFE_INTEGER, Infinity, "x", 253_402_300_799_999, [], null],
  ];
  await withTransaction(database.pool, async (client) => {
    expect(await copyRows(client, { table: "public.every_type", columns: EVERY }, rows)).toBe(4);
  });
  const back = await database.pool.query(
    "SELECT b, i2, i4, i8, f8, t, (extract(epoch FROM ts) * 1000)::bigint AS ms, j, bin FROM every_type ORDER BY i8",
  );
  expect(back.rows).toEqual([
    {
      b: false,
      i2: 32767,
      i4: -2147483648,
      i8: "-9223372036854775808",
      f8: 1e300,
      t: "",
      ms: "0",
      j: "text",
      bin: Buffer.alloc(0),
    },
    {
      b: null,
      i2: null,
      i4: null,
      i8: "-5000000000",
      f8: null,
      t: null,
      ms: "-62135596800000",
      j: null,
      bin: null,
    },
    {
      b: null,
      i2: null,
      i4: 0,
      i8: "9007199254740991",
      f8: Infinity,
      t: "x",
      ms: "253402300799999",
      j: [],
      bin: null,
    },
    {
      b: true,
      i2: -32768,
      i4: 2147483647,
      i8: "9223372036854775807",
      f8: -0.1,
      t: rows[0]?.[5],
      ms: "1700000000123",
      j: { a: [1, "二"] },
      bin: Buffer.from([0, 255]),
    },
  ]);
});

test("no row is copied, and none is needed", async () => {
  await withTransaction(database.pool, async (client) => {
    expect(await copyRows(client, { table: "wide", columns: WIDE }, [])).toBe(0);
  });
});

test("rows are asked for only as fast as the socket takes them", async () => {
  const blob = randomBytes(64 * 1024);
  let highestBuffered = 0;
  await withTransaction(database.pool, async (client) => {
    const { stream } = (client as unknown as { connection: { stream: { writableLength: number } } })
      .connection;
    function* rows(): Generator<unknown[]> {
      for (let n = 0; n < 600; n++) {
        highestBuffered = Math.max(highestBuffered, stream.writableLength);
        yield [n, blob];
      }
    }
    expect(await copyRows(client, { table: "wide", columns: WIDE }, rows())).toBe(600);
  });
  expect(highestBuffered).toBeLessThan(1024 * 1024);
  const sum = await database.pool.query(
    "SELECT count(*)::int AS n, sum(length(bin))::int AS bytes FROM wide",
  );
  expect(sum.rows[0]).toEqual({ n: 600, bytes: 600 * 64 * 1024 });
});

test("a server error mid-way leaves no row behind and the connection usable", async () => {
  await database.pool.query("TRUNCATE wide");
  const client = await database.pool.connect();
  const blob = randomBytes(8 * 1024);
  function* rows(): Generator<unknown[]> {
    for (let n = 0; n < 2_000; n++) yield [n === 1_000 ? 5 : n, blob];
  }
  await expect(copyRows(client, { table: "wide", columns: WIDE }, rows())).rejects.toMatchObject({
    code: "23505",
  });
  const count = await client.query("SELECT count(*)::int AS n FROM wide");
  expect(count.rows[0]).toEqual({ n: 0 });
  expect(await copyRows(client, { table: "wide", columns: WIDE }, [[1, blob]])).toBe(1);
  client.release();
});

test.each([
  ["a fraction for a whole number", [1.5, null]],
  ["a number out of range", [2 ** 31, null]],
  ["a text for bytes", [1, "text"]],
  ["a row too short", [1]],
])("%s is refused with COPY_VALUE, and the connection stays usable", async (_, row) => {
  const client = await database.pool.connect();
  await client.query("TRUNCATE wide");
  await expect(copyRows(client, { table: "wide", columns: WIDE }, [[7, null], row])).rejects.toMatchObject({
    code: "COPY_VALUE",
  });
  expect((await client.query("SELECT count(*)::int AS n FROM wide")).rows[0]).toEqual({ n: 0 });
  client.release();
});

test("a table that is not there is the server's error", async () => {
  const client = await database.pool.connect();
  await expect(copyRows(client, { table: "absent", columns: WIDE }, [])).rejects.toMatchObject({
    code: "42P01",
  });
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  client.release();
});

test("the loss of the connection mid-way rejects", async () => {
  const client = await database.pool.connect();
  client.on("error", () => {});
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  function* endless(): Generator<unknown[]> {
    const blob = randomBytes(32 * 1024);
    for (let n = 0; ; n++) {
      if (n === 20) void database.pool.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
      yield [10_000 + n, blob];
    }
  }
  await expect(copyRows(client, { table: "wide", columns: WIDE }, endless())).rejects.toThrow();
  client.release(true);
});
