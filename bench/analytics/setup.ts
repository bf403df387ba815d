/** The whole analysis with a database and cameras that somebody set up, as it runs in production. */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { type Analytics, startAnalytics } from "@huishi/analytics";
import {
  createLogger,
  createPool,
  EmbeddedPostgres,
  InProcessMediaBus,
  migrate,
  type Pool,
  Registry,
} from "@huishi/platform";
import { createAgent, createCamera, until } from "@huishi/testkit";
import type { AccessUnit } from "@huishi/contracts";

export const SAMPLE_FPS = 5;

export interface MeasureOptions {
  readonly media: string;
  readonly rate: "native" | number;
  readonly seconds?: number;
  readonly cameras?: number;
}

export interface Running {
  readonly analytics: Analytics;
  readonly cameras: readonly string[];
  readonly pool: Pool;
  readonly registry: Registry;
  /** From capture to the scene's publication. */
  readonly agesMs: number[];
  publish(cameraId: string, unit: AccessUnit): void;
  stop(): Promise<void>;
}

/** @param kind of the one rule that each camera has: `dwell` is content with keyframes */
export async function startRunning(count: number, kind: "intrusion" | "dwell"): Promise<Running> {
  const cameras = Array.from({ length: count }, (_, index) => `cam-${index}`);
  const logger = createLogger({ name: "bench", level: "error" });
  const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
  const server = await EmbeddedPostgres.start({ dataDir: path.join(folder, "db"), logger });
  await migrate(server.databaseUrl, logger);
  const pool = createPool(server.databaseUrl, { max: 1 });
  for (const cameraId of cameras) await setUp(pool, cameraId, kind);
  const mediaBus = new InProcessMediaBus({ lingerMs: 0 });
  const agesMs: number[] = [];
  for (const cameraId of cameras)
    mediaBus.subscribeScenes(cameraId, (scene) => agesMs.push(Date.now() - scene.capturedAtMs));
  const registry = new Registry();
  const analytics = await startAnalytics({
    databaseUrl: server.databaseUrl,
    mediaBus,
    logger,
    inferenceProcesses: availableParallelism(),
    sampleFps: SAMPLE_FPS,
    registry,
  });
  await until("all cameras are analysed", () => mediaBus.demands().length === count, 120_000);
  return {
    analytics,
    cameras,
    pool,
    registry,
    agesMs,
    publish: (cameraId, unit) => mediaBus.publish({ cameraId, profile: "main" }, unit),
    async stop() {
      await analytics.close();
      await pool.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function setUp(pool: Pool, cameraId: string, kind: "intrusion" | "dwell"): Promise<void> {
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
    kind,
    alarmClass: kind === "dwell" ? "illegal_parking_motor" : "intrusion",
    classes: ["person", "car", "bus", "truck"],
    minScore: 0.4,
    persistenceMs: kind === "dwell" ? 30_000 : 1_000,
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
