// Clips under their policy: kept at least the minimum, gone after the maximum, and a hold goes before both.
import { createAgent, createCamera, testDatabase, type TestDatabase } from "@huishi/testkit";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClipRoom } from "../../application/clip-room.ts";
import { UploadFolder } from "../clip-files/clip-files.ts";
import { PostgresClipRoomBook } from "./postgres-clip-room-book.ts";
import { enforceRetention } from "./retention.ts";

let database: TestDatabase;
let folder: string;
let agentId: string;
let room: ClipRoom;
beforeEach(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "huishi-clips-"));
  agentId = (await createAgent(database.pool)).id;
  await createCamera(database.pool, agentId, "north");
  await createCamera(database.pool, agentId, "south");
  room = new ClipRoom({
    book: new PostgresClipRoomBook(database.pool),
    files: new UploadFolder(folder, "clip"),
    maxBytes: 1_000,
    wallMs: () => Date.now(),
  });
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

interface Made {
  readonly bytes?: number;
  /** Days since the capture; since it came: the same. */
  readonly days: number;
  readonly cameDaysAgo?: number;
  readonly camera?: string;
  readonly state?: string;
}

async function clip(
  id: string,
  { bytes = 100, days, cameDaysAgo = days, camera = "north", state = "ready" }: Made,
) {
  await database.pool.query(
    `INSERT INTO clip (id, agent_id, camera_id, profile, from_at, to_at, purpose, requested_by, state, bytes, finished_at)
     VALUES ($1, $2, $3, 'main', now() - $4 * interval '1 day' - interval '1 minute', now() - $4 * interval '1 day',
       'test', 'test', $5, $6, now() - $7 * interval '1 day')`,
    [id, agentId, camera, days, state, bytes, cameDaysAgo],
  );
  if (state === "ready") await writeFile(join(folder, `${id}.clip`), Buffer.alloc(bytes));
}

async function hold(days: number, { camera = null as string | null, dataset = null as string | null } = {}) {
  const { rows } = await database.pool.query<{ id: string }>(
    `INSERT INTO legal_hold (dataset, camera_id, from_at, to_at, reason, placed_by)
     VALUES ($3, $1, now() - ($2 + 1) * interval '1 day', now() - ($2 - 1) * interval '1 day', 'case 12', 'test')
     RETURNING id`,
    [camera, days, dataset],
  );
  return rows[0]?.id;
}

const files = async (): Promise<string[]> =>
  (await readdir(folder)).map((name) => name.replace(".clip", "")).toSorted();
const rows = async (): Promise<string[]> => {
  const found = await database.pool.query<{ id: string }>("SELECT id FROM clip ORDER BY id");
  return found.rows.map(({ id }) => id);
};

describe("the policy of clips", () => {
  test("what is older than the maximum goes, row and file; what is younger stays", async () => {
    await clip("a-young", { days: 1 });
    await clip("b-below", { days: 89 });
    await clip("c-beyond", { days: 91 });
    await clip("d-failed", { days: 91, state: "failed" });
    await clip("e-came-late", { days: 91, cameDaysAgo: 3 });
    await enforceRetention(database.pool);
    await room.tidy();
    expect(await rows()).toEqual(["a-young", "b-below", "e-came-late"]);
    expect(await files()).toEqual(["a-young", "b-below", "e-came-late"]);
    await database.pool.query("UPDATE retention_policy SET max_age = '30 days' WHERE dataset = 'clip'");
    await enforceRetention(database.pool);
    await room.tidy();
    expect(await files()).toEqual(["a-young", "e-came-late"]);
  });

  test.each([
    ["of everything", {}],
    ["of clips", { dataset: "clip" }],
    ["of the camera", { camera: "north" }],
  ])("a hold %s keeps a clip of its time beyond the maximum, until it is released", async (_what, which) => {
    await clip("held", { days: 100 });
    await clip("other-time", { days: 200 });
    const id = await hold(100, which);
    await enforceRetention(database.pool);
    await room.tidy();
    expect(await files()).toEqual(["held"]);
    await database.pool.query(
      "UPDATE legal_hold SET released_at = now(), released_by = 'test' WHERE id = $1",
      [id],
    );
    await enforceRetention(database.pool);
    await room.tidy();
    expect([await rows(), await files()]).toEqual([[], []]);
  });

  test("a hold of another camera or dataset keeps no clip", async () => {
    await clip("north", { days: 100 });
    await hold(100, { camera: "south" });
    await hold(100, { dataset: "detection" });
    await enforceRetention(database.pool);
    await room.tidy();
    expect(await files()).toEqual([]);
  });

  test("a camera's end takes its clips and their files, but none that is under a hold", async () => {
    await clip("north", { days: 10 });
    await clip("south", { days: 10, camera: "south" });
    await hold(10, { camera: "south" });
    await database.pool.query("DELETE FROM camera WHERE id = 'north'");
    await expect(database.pool.query("DELETE FROM camera WHERE id = 'south'")).rejects.toMatchObject({
      code: "23001",
    });
    await room.tidy();
    expect(await files()).toEqual(["south"]);
  });
});

describe("the bound of the folder", () => {
  test("the oldest beyond the minimum make room, none younger and none held", async () => {
    await clip("a-held", { days: 80, bytes: 300 });
    await clip("b-oldest", { days: 60, bytes: 250 });
    await clip("c-older", { days: 40, bytes: 250 });
    await clip("d-young", { days: 20, bytes: 200 });
    await hold(80, { camera: "north" });
    expect(await room.take(100)).toBe(true);
    expect(await files()).toEqual(["a-held", "c-older", "d-young"]);
    expect(await room.take(400)).toBe(true);
    expect(await files()).toEqual(["a-held", "d-young"]);
    expect(await room.take(400)).toBe(true);
  });

  test("when all is held or young it says so, and the centre reads it", async () => {
    await clip("a-held", { days: 80, bytes: 600 });
    await clip("b-young", { days: 20, bytes: 400 });
    await hold(80);
    expect(await room.take(1)).toBe(false);
    await room.tidy();
    expect(await files()).toEqual(["a-held", "b-young"]);
    const told = await database.pool.query("SELECT max_bytes::int, used_bytes::int, is_full FROM clip_room");
    expect(told.rows).toEqual([{ max_bytes: 1_000, used_bytes: 1_000, is_full: true }]);
    await database.pool.query("UPDATE retention_policy SET min_age = '10 days' WHERE dataset = 'clip'");
    expect(await room.take(100)).toBe(true);
    expect(await files()).toEqual(["a-held"]);
  });
});
