/**
 * The whole analysis in real time: cameras of at most 640x360 through decoders, inference, tracking, rules and a real
 * database. Prints analysed against expected samples, what was dropped and why, capture to result and capture to
 * committed alarm, and how much of the machine it took.
 *
 *   npx tsx --conditions=huishi-source bench/analytics.ts VIDEO [SECONDS] [CAMERAS]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { startAnalytics } from "@huishi/analytics";
import {
  createLogger,
  createPool,
  EmbeddedPostgres,
  InProcessMediaBus,
  migrate,
  Registry,
  type Pool,
} from "@huishi/platform";
import { createAgent, createCamera, until } from "@huishi/testkit";
import { encodeClip, playClip, startsOf } from "./support/clip.ts";
import { cpuSecondsOfTree, memoryOfTree } from "./support/process-tree.ts";
import { describeMs } from "./support/statistics.ts";

const SAMPLE_FPS = 5;
const [video, secondsText = "60", camerasText = "4"] = process.argv.slice(2);
if (video === undefined) {
  process.stderr.write("usage: bench/analytics.ts VIDEO [SECONDS] [CAMERAS]\n");
  process.exit(2);
}
const seconds = Number(secondsText);
const cameras = Array.from({ length: Number(camerasText) }, (_, index) => `cam-${index}`);

const logger = createLogger({ name: "bench", level: "warn" });
const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
const server = await EmbeddedPostgres.start({ dataDir: path.join(folder, "db"), logger });
await migrate(server.databaseUrl, logger);
const pool = createPool(server.databaseUrl, { max: 1 });
for (const cameraId of cameras) await setUp(pool, cameraId);

const mediaBus = new InProcessMediaBus({ lingerMs: 0 });
const agesMs: number[] = [];
for (const cameraId of cameras) {
  mediaBus.subscribeScenes(cameraId, (scene) => agesMs.push(Date.now() - scene.capturedAtMs));
}
const registry = new Registry();
const analytics = await startAnalytics({
  databaseUrl: server.databaseUrl,
  mediaBus,
  logger,
  inferenceProcesses: availableParallelism(),
  sampleFps: SAMPLE_FPS,
  registry,
});
await until("all cameras are analysed", () => mediaBus.demands().length === cameras.length, 60_000);
const clip = await encodeClip(video);
const starts = startsOf(clip, cameras.length);
const loop = monitorEventLoopDelay({ resolution: 5 });
loop.enable();
const cpuBefore = cpuSecondsOfTree(process.pid);
await Promise.all(
  cameras.map((cameraId, index) =>
    playClip(clip, { from: starts[index] ?? 0, seconds }, (unit) =>
      mediaBus.publish({ cameraId, profile: "main" }, unit),
    ),
  ),
);
loop.disable();
const cpuSeconds = cpuSecondsOfTree(process.pid) - cpuBefore;
await new Promise((resolve) => setTimeout(resolve, 1_500));
const stats = analytics.stats();
const memory = memoryOfTree(process.pid);
const stageMs = await stageMeans(registry);
await analytics.close();
const expected = cameras.length * SAMPLE_FPS * seconds;
print({
  measure: `${cameras.length} cameras at ${SAMPLE_FPS} frames/s for ${seconds} s`,
  analysedRatio: Math.round((stats.framesAnalysed / expected) * 1000) / 1000,
  expected,
  analysed: stats.framesAnalysed,
  dropped: stats.dropped,
  coresUsed: Math.round((cpuSeconds / seconds) * 100) / 100,
  cpuMsPerSample: Math.round((cpuSeconds * 1000) / stats.framesAnalysed),
  stageMs,
  captureToResult: describeMs(agesMs),
  captureToCommittedAlarm: await alarmAges(pool),
  eventLoopDelayMs: { p99: Math.round(loop.percentile(99) / 1e5) / 10, max: Math.round(loop.max / 1e5) / 10 },
  memoryPssMb: Math.round(memory.pssMb),
  rows: await counts(pool),
});
await pool.end();
await server.stop();
await rm(folder, { recursive: true, force: true });

async function setUp(pool: Pool, cameraId: string): Promise<void> {
  const agent = await createAgent(pool);
  await createCamera(pool, agent.id, cameraId);
  const points = [
    { x: 0.25, y: 0.35 },
    { x: 0.95, y: 0.35 },
    { x: 0.95, y: 0.85 },
    { x: 0.25, y: 0.85 },
  ];
  const settings = {
    name: "bench",
    kind: "intrusion",
    alarmClass: "intrusion",
    classes: ["person", "car", "bus", "truck"],
    minScore: 0.4,
    persistenceMs: 1_000,
    exitMs: 500,
    dedupeMs: 0,
    threshold: 0,
    direction: "both",
    priority: "P3",
    enabled: true,
    schedule: null,
  };
  await pool.query(
    "INSERT INTO zone (id, camera_id, name, kind, points) VALUES ($1, $2, $1, 'polygon', $3)",
    [`${cameraId}-zone`, cameraId, JSON.stringify(points)],
  );
  await pool.query("INSERT INTO rule (id, camera_id, zone_id, settings) VALUES ($1, $2, $3, $4)", [
    `${cameraId}-rule`,
    cameraId,
    `${cameraId}-zone`,
    JSON.stringify(settings),
  ]);
}

async function alarmAges(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ ms: number }>(
    "SELECT (extract(epoch FROM created_at - captured_at) * 1000)::float8 AS ms FROM alarm",
  );
  return rows.length === 0 ? "no alarm" : describeMs(rows.map((row) => row.ms));
}

/** Mean time of a sample in each stage. */
async function stageMeans(from: Registry): Promise<Record<string, number>> {
  const metric = await from.getSingleMetric("huishi_analytics_stage_seconds")?.get();
  const totals = new Map<string, { sum: number; count: number }>();
  for (const value of metric?.values ?? []) {
    const stage = String(value.labels["stage"]);
    const total = totals.get(stage) ?? { sum: 0, count: 0 };
    totals.set(stage, total);
    const { metricName } = value as { metricName?: string };
    if (metricName?.endsWith("_sum")) total.sum += value.value;
    if (metricName?.endsWith("_count")) total.count += value.value;
  }
  return Object.fromEntries(
    [...totals].map(([stage, { sum, count }]) => [stage, Math.round((sum / count) * 1e5) / 100]),
  );
}

async function counts(pool: Pool): Promise<unknown> {
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM detection) AS detections, (SELECT count(*)::int FROM track) AS tracks,
       (SELECT count(*)::int FROM alarm) AS alarms, (SELECT count(*)::int FROM alarm_snapshot) AS snapshots`,
  );
  return rows[0];
}

function print(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line, null, 2)}\n`);
}
