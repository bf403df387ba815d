import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { REHEARSAL_CHUNK_BYTES, type RehearsalResult } from "@huishi/contracts";
import { createLogger } from "@huishi/platform";
import { createAgent, createCamera, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isModelBuilt } from "./adapters/onnxruntime/test-support/model.ts";
import { FaultLog } from "./application/fault-log.ts";
import { type Rehearsals, startRehearsals } from "./compose-rehearsals.ts";
import { ruleOf, SQUARE } from "./domain/test-support/rules.ts";
import { findFootage } from "./test-support/footage.ts";

const PROCESS = fileURLToPath(new URL("./test-support/rehearsal-process.ts", import.meta.url));
const logger = createLogger({ name: "test", level: "silent" });
const VTEST = findFootage("vtest.avi");
const hasModel = await isModelBuilt();

let database: TestDatabase;
let running: Rehearsals;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-clips-test-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  await createCamera(database.pool, agent.id, "cam-1");
  running = startRehearsals({
    databaseUrl: database.databaseUrl,
    logger,
    faults: new FaultLog(logger),
    sampleFps: 5,
  });
});
afterEach(async () => {
  await running.close();
  await database.drop();
});

/** Makes a clip with ffmpeg. */
async function encode(name: string, ...args: string[]): Promise<Buffer> {
  const file = join(folder, name);
  execFileSync("ffmpeg", ["-v", "error", "-y", ...args, file]);
  return readFile(file);
}

const testPicture = (options: string): string[] => ["-f", "lavfi", "-i", `testsrc=${options}`];
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

async function rehearse(clip: Buffer): Promise<string> {
  await database.pool.query(
    "INSERT INTO rehearsal_clip (id, camera_id, user_id, bytes) VALUES ('clip', 'cam-1', 1, $1)",
    [clip.length],
  );
  for (let no = 0; no * REHEARSAL_CHUNK_BYTES < clip.length; no++) {
    const bytes = clip.subarray(no * REHEARSAL_CHUNK_BYTES, (no + 1) * REHEARSAL_CHUNK_BYTES);
    await database.pool.query("INSERT INTO rehearsal_clip_chunk VALUES ('clip', $1, $2)", [no, bytes]);
  }
  const {
    id: _id,
    cameraId: _camera,
    zoneId: _zone,
    version: _version,
    ...rule
  } = ruleOf("intrusion", {
    persistenceMs: 1_000,
    dedupeMs: 2_000,
  });
  const subject = { zone: { kind: "polygon", points: SQUARE.points }, rule };
  await database.pool.query(
    `INSERT INTO rehearsal (id, camera_id, user_id, user_name, subject, source)
     VALUES ('one', 'cam-1', 1, 'chief', $1, '{"kind": "clip", "clipId": "clip"}')`,
    [JSON.stringify(subject)],
  );
  return "one";
}

interface Row {
  readonly state: string;
  readonly progress: number;
  readonly attempts: number;
  readonly error: { code: string } | null;
  readonly result: RehearsalResult | null;
}

async function row(): Promise<Row> {
  return (await database.pool.query<Row>("SELECT * FROM rehearsal")).rows[0] as Row;
}

function ended(): Promise<Row> {
  return until(
    "the rehearsal has ended",
    async () => {
      const now = await row();
      return now.state !== "waiting" && now.state !== "running" && now;
    },
    90_000,
  );
}

const temporaryFolders = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith("huishi-rehearsal-"));

describe.skipIf(!hasModel)("rehearsals over a clip", { timeout: 240_000 }, () => {
  it.skipIf(VTEST === null)("find in real footage what the rule would have raised", async () => {
    const before = await temporaryFolders();
    await rehearse(await encode("street.mp4", "-i", VTEST as string, "-t", "12", ...H264));
    const { state, result, error } = await ended();
    expect({ state, error }).toEqual({ state: "done", error: null });
    expect(result!.frames).toBeGreaterThanOrEqual(59);
    expect(result!.tracks).toBeGreaterThan(3);
    expect(result!.raised).toBeGreaterThan(0);
    expect(result!.alarms[0]).toMatchObject({ objectClass: "person", compared: "added" });
    expect(result!.alarms[0]!.capturedAtMs).toBeLessThan(12_000);
    expect(await temporaryFolders()).toEqual(before);
    expect((await database.pool.query("SELECT 1 FROM detection UNION ALL SELECT 1 FROM alarm")).rows).toEqual(
      [],
    );
  });

  it.each([
    ["matroska", "clip.mkv", H264],
    ["MPEG-TS", "clip.ts", H264],
    ["a bare bitstream", "clip.h264", [...H264, "-f", "h264"]],
    ["AVI", "clip.avi", ["-c:v", "mpeg4"]],
  ])("take %s", async (_what, name, codec) => {
    await rehearse(await encode(name, ...testPicture("duration=3:size=320x240:rate=10"), ...codec));
    const { state, result } = await ended();
    expect(state).toBe("done");
    expect(result!.frames).toBeGreaterThanOrEqual(14);
    expect(result!.coveredMs).toBeGreaterThan(2_500);
  });

  it("of a process that is killed are taken again by another one", async () => {
    await running.close();
    const victim = spawn(process.execPath, ["--import", "tsx", "--conditions=huishi-source", PROCESS], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"], DATABASE_URL: database.databaseUrl },
    });
    const gone = new Promise((resolve) => victim.once("close", resolve));
    await rehearse(await encode("killed.mp4", ...testPicture("duration=60:size=320x240:rate=5"), ...H264));
    await until("it has begun", async () => (await row()).progress > 0, 60_000);
    victim.kill("SIGKILL");
    await gone;
    running = startRehearsals({
      databaseUrl: database.databaseUrl,
      logger,
      faults: new FaultLog(logger),
      sampleFps: 5,
    });
    expect(await ended()).toMatchObject({ state: "done", attempts: 2, error: null });
  });

  it("are cancelled in the middle", async () => {
    const before = await temporaryFolders();
    await rehearse(await encode("long.mp4", ...testPicture("duration=600:size=640x360:rate=5"), ...H264));
    await until("it runs", async () => (await row()).progress > 0, 60_000);
    await database.pool.query("UPDATE rehearsal SET state = 'cancelled'");
    await until(
      "its folder is gone",
      async () => (await temporaryFolders()).every((name) => before.includes(name)),
      30_000,
    );
    expect(await row()).toMatchObject({ state: "cancelled", result: null });
  });
});

describe("a clip that cannot be rehearsed on", { timeout: 240_000 }, () => {
  it("has no pictures", async () => {
    await rehearse(await encode("sound.mp4", "-f", "lavfi", "-i", "sine=duration=3", "-c:a", "aac"));
    expect(await ended()).toMatchObject({ state: "failed", error: { code: "REHEARSAL_CLIP_NO_VIDEO" } });
  });

  it("is damaged", async () => {
    const clip = await encode("whole.mp4", ...testPicture("duration=3:size=320x240:rate=10"), ...H264);
    // Without its end an MP4 has no index.
    await rehearse(clip.subarray(0, Math.round(clip.length / 2)));
    expect(await ended()).toMatchObject({ state: "failed", error: { code: "REHEARSAL_CLIP_CORRUPT" } });
  });

  it("is longer than an hour", async () => {
    await rehearse(await encode("hours.mp4", ...testPicture("duration=3700:size=32x32:rate=1"), ...H264));
    expect(await ended()).toMatchObject({ state: "failed", error: { code: "REHEARSAL_CLIP_TOO_LONG" } });
  });

  it("was deleted in the meantime", async () => {
    await running.close();
    await rehearse(Buffer.alloc(10));
    await database.pool.query("DELETE FROM rehearsal_clip");
    running = startRehearsals({
      databaseUrl: database.databaseUrl,
      logger,
      faults: new FaultLog(logger),
      sampleFps: 5,
    });
    expect(await ended()).toMatchObject({ state: "failed", error: { code: "REHEARSAL_CLIP_GONE" } });
  });

  it("names another file: that one is not read", async () => {
    await rehearse(Buffer.from("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"));
    expect(await ended()).toMatchObject({ state: "failed", error: { code: "REHEARSAL_CLIP_CORRUPT" } });
  });
});
