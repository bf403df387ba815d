/**
 * How long a rehearsal over stored tracks takes, and what it costs those who share its process: reading the rows, putting
 * the tracks together again, and a rule with its baseline over every frame.
 *
 *   npx tsx --conditions=huishi-source bench/rehearsal.ts [--days 1] [--objects 3]
 *
 * People cross the picture all day at 5 frames a second, `--objects` of them at once in every other minute; nobody is there
 * in the minutes between.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { RULE_DEFAULTS, type RehearsalSubject } from "@huishi/contracts";
import { createLogger, createPool, type Pool } from "@huishi/platform";
import { PostgresRehearsalPerception } from "../services/analytics/src/adapters/postgres/rehearsal-perception.ts";
import { StoredTracks } from "../services/analytics/src/application/rehearsal/stored-tracks.ts";
import { RehearsalRun } from "../services/analytics/src/domain/index.ts";
import { benchDatabase } from "./support/bench-database.ts";

const { values } = parseArgs({
  options: { days: { type: "string", default: "1" }, objects: { type: "string", default: "3" } },
});
const FROM_MS = 1_700_000_000_000;
const TO_MS = FROM_MS + Number(values.days) * 86_400_000;
const MEGABYTE = 1024 * 1024;

/** Everybody walks from left to right within a minute. */
async function seed(pool: Pool): Promise<number> {
  await pool.query("INSERT INTO agent (id, name, secret_hash) VALUES ('a', 'a', '')");
  await pool.query("INSERT INTO camera (id, agent_id, name) VALUES ('cam', 'a', 'cam')");
  const written = await pool.query(
    `INSERT INTO detection (captured_at, track_id, camera_no, class_code, score, x, y, w, h)
     SELECT to_timestamp($1::float8 / 1000) + k * interval '200 milliseconds', (k / 300) * 10 + o, camera.no, 1, 8000,
            500 + (k % 300) * 28, 3000 + o * 1000, 400, 1400
     FROM camera, generate_series(0, $2::int - 1) AS k, generate_series(0, $3::int - 1) AS o
     WHERE (k / 300) % 2 = 0`,
    [FROM_MS, (TO_MS - FROM_MS) / 200, Number(values.objects)],
  );
  await pool.query(
    `INSERT INTO analysis_span (camera_no, began_at, until_at, frames)
     SELECT camera.no, at, at + interval '599.8 seconds', 3000
     FROM camera, generate_series(to_timestamp($1::float8 / 1000), to_timestamp($2::float8 / 1000), '10 minutes') AS at`,
    [FROM_MS, TO_MS - 1],
  );
  await pool.query("ANALYZE");
  return written.rowCount ?? 0;
}

function subjectOf(persistenceMs: number): RehearsalSubject {
  const points = [
    { x: 0.3, y: 0.2 },
    { x: 0.7, y: 0.2 },
    { x: 0.7, y: 0.9 },
    { x: 0.3, y: 0.9 },
  ];
  const rule = { ...RULE_DEFAULTS.intrusion, name: "bench", kind: "intrusion" as const, persistenceMs };
  return {
    zone: { kind: "polygon", points },
    rule: { ...rule, dedupeMs: 0, classes: ["person"], direction: "both", enabled: true, schedule: null },
  };
}

const database = await benchDatabase(createLogger({ name: "bench", level: "silent" }));
const pool = createPool(database.databaseUrl, { max: 3, statementTimeoutMs: 600_000 });
try {
  const rows = await seed(pool);
  const job = {
    id: "bench",
    cameraId: "cam",
    subject: subjectOf(5_000),
    baseline: subjectOf(3_000),
    source: { kind: "tracks", fromMs: FROM_MS, toMs: TO_MS } as const,
  };
  const run = new RehearsalRun(job);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const before = { cpu: process.cpuUsage(), memory: process.memoryUsage.rss(), atMs: performance.now() };
  let most = 0;
  delay.enable();
  const looked = await new StoredTracks({ store: new PostgresRehearsalPerception(pool), sampleFps: 5 }).play(
    job,
    {
      onBegin: () => undefined,
      onFrame: ({ tracks, capturedAtMs, picture }) => run.update(tracks, capturedAtMs, picture),
      onProgress: () => (most = Math.max(most, process.memoryUsage.rss())),
    },
    new AbortController().signal,
  );
  delay.disable();
  const { user, system } = process.cpuUsage(before.cpu);
  const result = run.finish(looked);
  const cpuMs = (user + system) / 1000;
  console.log(
    [
      database.description,
      `${values.days} days, ${rows} detections, ${result.frames} frames, ${result.tracks} tracks, ${result.raised} alarms`,
      `${((performance.now() - before.atMs) / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of CPU: ${((cpuMs * 1000) / result.frames).toFixed(1)} µs a frame`,
      `event loop delay p50 ${(delay.percentile(50) / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, most ${(delay.max / 1e6).toFixed(1)} ms`,
      `memory ${((most - before.memory) / MEGABYTE).toFixed(0)} MB above the beginning`,
    ].join("\n"),
  );
} finally {
  await pool.end();
  await database.drop();
}
