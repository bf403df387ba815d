import type { RehearsalResult, RehearsalSubject, RuleKind } from "@huishi/contracts";
import { createLogger } from "@huishi/platform";
import {
  createAgent,
  createCamera,
  type TestCamera,
  type TestDatabase,
  testDatabase,
  until,
} from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PostgresRecordStore, PostgresRehearsalStore, PostgresSpanStore } from "./adapters/postgres/index.ts";
import { FaultLog } from "./application/fault-log.ts";
import { type DetectionRow, detectionRow } from "./application/records.ts";
import { TrackRecorder } from "./application/track-recorder.ts";
import { type Rehearsals, startRehearsals } from "./compose-rehearsals.ts";
import { RuleEngine, Tracker } from "./domain/index.ts";
import { SQUARE, ruleOf } from "./domain/test-support/rules.ts";

const T0 = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const logger = createLogger({ name: "test", level: "silent" });

let database: TestDatabase;
let camera: TestCamera;
let running: Rehearsals[];

beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  camera = await createCamera(database.pool, agent.id, "cam-1");
  running = [];
});
afterEach(async () => {
  for (const one of running) await one.close();
  await database.drop();
});

function start(): Rehearsals {
  const faults = new FaultLog(logger);
  const one = startRehearsals({ databaseUrl: database.databaseUrl, logger, faults, sampleFps: 5 });
  running.push(one);
  return one;
}

/** People who walk through the picture one after the other: each through the square, `seconds` apart. */
async function perceive(options: {
  people: number;
  everyMs: number;
  vx: number;
}): Promise<{ raised: number }> {
  const tracker = new Tracker({ firstTrackId: 1 });
  const recorder = new TrackRecorder(camera.no);
  const engine = new RuleEngine([RULE], [SQUARE]);
  const store = new PostgresRecordStore(database.pool);
  const detections: DetectionRow[] = [];
  let raised = 0;
  const endMs = T0 + options.people * options.everyMs;
  for (let t = T0; t < endMs; t += 200) {
    const age = ((t - T0) % options.everyMs) / 1000;
    const x = 0.1 + options.vx * age;
    const seen = x < 0.9 ? [{ objectClass: "person" as const, score: 0.8, box: box(x) }] : [];
    const { tracks, ended } = tracker.update(seen, t);
    const believed = tracks.filter(({ state }) => state !== "tentative");
    await store.writeTracks(recorder.update(believed, ended, t));
    for (const track of believed) if (track.observed) detections.push(detectionRow(track, camera.no, t));
    raised += engine.update(believed, t).filter(({ type }) => type === "raised").length;
  }
  await store.writeTracks(recorder.finish());
  await store.writeDetections(detections);
  await new PostgresSpanStore(database.pool).writeSpans([
    { cameraNo: camera.no, beganMs: T0, untilMs: endMs - 200, frames: (endMs - T0) / 200 },
  ]);
  return { raised };
}

const box = (x: number) => ({ x: x - 0.02, y: 0.36, w: 0.04, h: 0.14 });
const RULE = ruleOf("intrusion", { persistenceMs: 1_000, dedupeMs: 5_000 });

function subject(fields: Parameters<typeof ruleOf>[1] = {}, kind: RuleKind = "intrusion"): RehearsalSubject {
  const { id: _id, cameraId: _camera, zoneId: _zone, version: _version, ...rule } = ruleOf(kind, fields);
  return { zone: { kind: "polygon", points: [...SQUARE.points] }, rule };
}

async function ask(id: string, fields: { subject?: RehearsalSubject; baseline?: RehearsalSubject } = {}) {
  const asked = fields.subject ?? subject({ persistenceMs: 1_000, dedupeMs: 5_000 });
  await database.pool.query(
    `INSERT INTO rehearsal (id, camera_id, user_id, user_name, subject, baseline, source)
     VALUES ($1, $2, 1, 'chief', $3, $4, $5)`,
    [
      id,
      camera.id,
      JSON.stringify(asked),
      fields.baseline ? JSON.stringify(fields.baseline) : null,
      JSON.stringify({ kind: "tracks", fromMs: T0, toMs: T0 + HOUR_MS }),
    ],
  );
}

interface Row {
  readonly state: string;
  readonly error: { code: string } | null;
  readonly result: RehearsalResult | null;
  readonly attempts: number;
  readonly worker: string;
}

async function rowOf(id: string): Promise<Row> {
  return (await database.pool.query<Row>("SELECT * FROM rehearsal WHERE id = $1", [id])).rows[0] as Row;
}

async function ended(id: string): Promise<Row> {
  return until("the rehearsal has ended", async () => {
    const row = await rowOf(id);
    return row.state !== "waiting" && row.state !== "running" && row;
  });
}

describe("rehearsals on a real database", () => {
  it("tell of stored tracks what the rule would have raised, and raise nothing", async () => {
    const { raised } = await perceive({ people: 6, everyMs: 30_000, vx: 0.08 });
    expect(raised).toBe(6);
    await ask("one");
    start();
    const { state, result } = await ended("one");
    expect(state).toBe("done");
    expect(result).toMatchObject({ raised, tracks: 6, baselineRaised: null });
    // The store's stretch, not the hour that was asked for: nobody looked afterwards.
    expect(result!.frames).toBe(900);
    expect(Math.abs(result!.coveredMs - 180_000)).toBeLessThan(1_000);
    const alarms = await database.pool.query("SELECT 1 FROM alarm");
    expect(alarms.rows).toEqual([]);
  });

  it("show what a changed threshold changes", async () => {
    await perceive({ people: 4, everyMs: 30_000, vx: 0.08 });
    // They need five seconds from one side of the square to the other.
    await ask("strict", {
      subject: subject({ persistenceMs: 20_000, dedupeMs: 5_000 }),
      baseline: subject({ persistenceMs: 1_000, dedupeMs: 5_000 }),
    });
    start();
    const { result } = await ended("strict");
    expect(result).toMatchObject({ raised: 0, baselineRaised: 4, added: 0, removed: 4 });
    expect(result!.alarms.map(({ compared }) => compared)).toEqual(Array(4).fill("removed"));
  });

  it("are done once by several workers", async () => {
    await perceive({ people: 2, everyMs: 20_000, vx: 0.08 });
    for (let k = 0; k < 6; k++) await ask(`job-${k}`);
    for (let k = 0; k < 3; k++) start();
    for (let k = 0; k < 6; k++) expect(await ended(`job-${k}`)).toMatchObject({ state: "done", attempts: 1 });
  });

  it("of a killed worker are taken again, and given up after three", async () => {
    await perceive({ people: 1, everyMs: 20_000, vx: 0.08 });
    await ask("again");
    await ask("never");
    const killed = `state = 'running', worker = 'killed', heartbeat_at = now() - interval '1 minute'`;
    await database.pool.query(`UPDATE rehearsal SET ${killed}, attempts = 1 WHERE id = 'again'`);
    await database.pool.query(`UPDATE rehearsal SET ${killed}, attempts = 3 WHERE id = 'never'`);
    start();
    expect(await ended("again")).toMatchObject({ state: "done", attempts: 2 });
    expect(await ended("never")).toMatchObject({ state: "failed", error: { code: "REHEARSAL_GIVEN_UP" } });
  });

  it("that live elsewhere are left alone", async () => {
    await ask("mine");
    const store = new PostgresRehearsalStore(database.pool);
    expect(await store.claim("me", "tracks")).toMatchObject({ id: "mine" });
    expect(await store.claim("other", "tracks")).toBeNull();
    expect(await store.beat("mine", "other", 0.5)).toBe(false);
    expect(await store.beat("mine", "me", 0.5)).toBe(true);
    await database.pool.query("UPDATE rehearsal SET state = 'cancelled' WHERE id = 'mine'");
    expect(await store.beat("mine", "me", 0.6)).toBe(false);
    await store.finish("mine", "me", {} as RehearsalResult);
    expect((await rowOf("mine")).state).toBe("cancelled");
  });

  it("go by what a sensor said then, not by what it says now", async () => {
    const { raised } = await perceive({ people: 6, everyMs: 30_000, vx: 0.08 });
    expect(raised).toBe(6);
    const agent = await createAgent(database.pool);
    await database.pool.query("INSERT INTO sensor (id, agent_id, name) VALUES ('gauge', $1, 'gauge')", [
      agent.id,
    ]);
    const { rows } = await database.pool.query<{ no: number }>(
      "INSERT INTO datastream (sensor_id, observed_property, unit) VALUES ('gauge', 'water_level', 'm') RETURNING no",
    );
    const no = rows[0]!.no;
    // Water over the road in the second and third minute of three: two of six people walk through it.
    for (const [seq, [atMs, value]] of [
      [0, 0.1],
      [60_000, 0.5],
      [119_000, 0.1],
    ].entries())
      await database.pool.query(
        `INSERT INTO observation (captured_at, value, seq, datastream_no, source_no, agent_lag_ms, ingest_lag_ms)
         VALUES ($1, $2, $3, $4, 1, 0, 0)`,
        [new Date(T0 + atMs!), value, seq, no],
      );
    const sensor = { datastreamId: String(no), comparison: "above" as const, value: 0.3, maxAgeMs: 300_000 };
    await ask("wet", { subject: subject({ persistenceMs: 1_000, dedupeMs: 5_000, sensor }) });
    await ask("unknown", {
      subject: subject({
        persistenceMs: 1_000,
        dedupeMs: 5_000,
        sensor: { ...sensor, datastreamId: "9999" },
      }),
    });
    start();
    expect((await ended("wet")).result).toMatchObject({ raised: 2 });
    expect((await ended("unknown")).result).toMatchObject({ raised: 0 });
  });

  it("of a rule that lacks what it needs say so", async () => {
    await ask("fast", { subject: subject({}, "speed_over") });
    start();
    expect(await ended("fast")).toMatchObject({ state: "failed", error: { code: "REHEARSAL_RULE_IDLE" } });
  });

  it("of a camera that was never analysed look at nothing", async () => {
    await ask("nothing");
    start();
    const { result } = await ended("nothing");
    expect(result).toMatchObject({ frames: 0, tracks: 0, coveredMs: 0, raised: 0 });
  });
});
