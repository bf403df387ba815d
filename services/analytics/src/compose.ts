import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { MediaBus } from "@huishi/contracts";
import { systemClock, supervise } from "@huishi/kernel";
import { createPool, databaseHealth, type Logger, type PartHealth } from "@huishi/platform";
import { register, type Registry } from "prom-client";
import { ForkedInferencePool } from "./adapters/inference-process/index.ts";
import { LoopDelay, processUsage } from "./adapters/procfs/index.ts";
import {
  PostgresAlarmStore,
  PostgresCameraLeaseStore,
  PostgresChangeFeed,
  PostgresPictureStore,
  PostgresLeaseFence,
  PostgresPlanStore,
  PostgresRecordStore,
  PostgresStatusStore,
  PostgresSensorReadings,
  PostgresTrackIdSource,
} from "./adapters/postgres/index.ts";
import { AlarmWriter } from "./application/alarm-writer.ts";
import { Assignment } from "./application/assignment.ts";
import type { CameraStats } from "./application/camera-analysis.ts";
import type { DetectorChoice } from "./application/detection/detector-choice.ts";
import { CameraTenure } from "./application/camera-tenure.ts";
import { FaultLog } from "./application/fault-log.ts";
import { fencedAlarms, fencedRecords } from "./application/fenced-stores.ts";
import { HeldPool } from "./application/held-pool.ts";
import { PerceptionWriter } from "./application/perception-writer.ts";
import { PictureReports } from "./application/picture/picture-reports.ts";
import type { InferencePool } from "./application/ports.ts";
import { SharedPool } from "./application/shared-pool.ts";
import { StatusReporter } from "./application/status-reporter.ts";
import { TrackIds } from "./application/track-ids.ts";
import { UnstoppedClock } from "./domain/index.ts";
import { startRehearsals } from "./compose-rehearsals.ts";
import { AnalyticsMetrics } from "./metrics.ts";

export interface AnalyticsOptions {
  readonly databaseUrl: string;
  readonly mediaBus: MediaBus;
  readonly logger: Logger;
  /** Inference children at most, one thread each. */
  readonly inferenceProcesses: number;
  /** Frames analysed a second for each camera, at most. */
  readonly sampleFps: number;
  /** Which detector to use (`detectorChoice` reads it from the environment); absent: our own model on the CPU. */
  readonly detector?: DetectorChoice;
  /** Where the metrics go; prom-client's own registry when absent. */
  readonly registry?: Registry;
  /** The inference to use instead of our own processes. */
  readonly inference?: () => Promise<InferencePool>;
  /** How this process stands among those that share the cameras. */
  readonly worker?: WorkerOptions;
}

export interface WorkerOptions {
  /** What people call it. Default: the host's name and the process id. */
  readonly name?: string;
  /** Its share of the load, relative to the other processes. Default: its inference processes. */
  readonly capacity?: number;
  /** A lock on this machine says that whoever had the name before is dead: its cameras need not wait. */
  readonly isSuccessor?: boolean;
}

export interface AnalyticsStats {
  /** Cameras that this process holds. */
  readonly camerasHeld: number;
  readonly cameras: readonly CameraStats[];
  readonly framesAnalysed: number;
  /** What was lost since the start, by reason; empty when nothing was. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Not committed yet. */
  readonly pending: {
    readonly alarms: number;
    readonly detection: number;
    readonly track: number;
    readonly line_crossing: number;
    readonly zone_occupancy: number;
  };
}

export interface Analytics {
  stats(): AnalyticsStats;
  /** The database, and whether this process may analyse what it holds. */
  health(): Promise<readonly PartHealth[]>;
  /** Stops the analysis, writes what it knows, ends the children. */
  close(): Promise<void>;
}

/** Processes go on this long after the last rule was switched off. */
const POOL_LINGER_MS = 30_000;
/** What is not committed this long after closing began is given up and counted. */
const CLOSE_DEADLINE_MS = 5_000;
const FOLLOW_RETRY = { baseDelayMs: 200, maxDelayMs: 2_000, healthyAfterMs: 10_000 };
const INFERENCE_FAULT = {
  code: "INFERENCE_PROCESS_FAILED",
  message: "an inference process failed and is started again",
};
const PLAN_UNKNOWN = {
  code: "PLAN_UNKNOWN",
  message: "cameras and rules cannot be read; what is analysed goes on: check that PostgreSQL runs",
};

const SENSORS_UNKNOWN = {
  code: "SENSOR_READINGS_UNKNOWN",
  message: "sensor values that rules name cannot be read; they grow old and count as not true",
};

/**
 * Starts the analysis. Resolves at once: a database or model that is not there yet is a logged fault that is
 * tried again, so that the other services of a machine do not wait for it.
 */
export async function startAnalytics(options: AnalyticsOptions): Promise<Analytics> {
  const { databaseUrl, mediaBus, logger, sampleFps } = options;
  const clock = systemClock;
  const metrics = new AnalyticsMetrics(options.registry ?? register);
  const faults = new FaultLog(logger, clock);
  // Two pools: however many detections are waiting, an alarm finds a connection of its own.
  const records = createPool(databaseUrl, { max: 3, applicationName: "huishi-analytics", logger });
  const urgent = createPool(databaseUrl, { max: 3, applicationName: "huishi-analytics-alarms", logger });
  const pool = new SharedPool({
    lingerMs: POOL_LINGER_MS,
    start: options.inference ?? (() => Promise.resolve(forkedPool(options, faults))),
  });
  const tenure = tenureOf(options, faults);
  const fenceOf = (connections: typeof records): PostgresLeaseFence =>
    new PostgresLeaseFence(connections, () => tenure.workerIds);
  const perception = new PerceptionWriter(
    fencedRecords(new PostgresRecordStore(records), fenceOf(records), metrics),
    metrics,
    faults,
  );
  const alarms = new AlarmWriter({
    store: fencedAlarms(new PostgresAlarmStore(urgent), fenceOf(urgent), metrics),
    meter: metrics,
    faults,
    clock,
  });
  const pictures = new PictureReports({ store: new PostgresPictureStore(records), faults, clock });
  const rehearsals = startRehearsals({
    databaseUrl,
    logger,
    faults,
    sampleFps,
    ...(options.detector && { detector: options.detector }),
  });
  const sensors = new PostgresSensorReadings({
    pool: urgent,
    onFault: (error) => faults.report(error, SENSORS_UNKNOWN),
  });
  const assignment = new Assignment({
    tenure,
    store: new PostgresPlanStore(urgent),
    changes: new PostgresChangeFeed(databaseUrl),
    faults,
    analysis: {
      pool: new HeldPool(pool, tenure, metrics),
      mediaBus,
      trackIds: new TrackIds(new PostgresTrackIdSource(records)),
      perception,
      spans: rehearsals.spans,
      alarms,
      pictures,
      meter: metrics,
      faults,
      clock,
      sampleFps,
      sensors,
    },
  });
  const stop = new AbortController();
  const following = supervise(assignment, stop.signal, {
    ...FOLLOW_RETRY,
    onFailure: ({ error }) => faults.report(error, PLAN_UNKNOWN),
  });
  const reading = supervise(sensors, stop.signal, {
    ...FOLLOW_RETRY,
    onFailure: ({ error }) => faults.report(error, SENSORS_UNKNOWN),
  });
  const holding = tenure.run(stop.signal, assignment);
  metrics.showHeld(() => tenure.heldCount);
  const pending = (): AnalyticsStats["pending"] => ({ alarms: alarms.pending, ...perception.pending() });
  metrics.showPending(pending);
  const loop = new LoopDelay();
  const reporter = new StatusReporter({
    store: new PostgresStatusStore(urgent),
    faults,
    clock,
    cameras: () => assignment.stats(),
    framesAnalysed: () => metrics.framesAnalysed,
    drops: () => metrics.drops(),
    takeStages: () => metrics.takeStages(),
    takeLoopDelayP99Ms: () => loop.takeP99Ms(),
    inferencePids: () => pool.pids,
    usage: processUsage,
  });
  const reporting = reporter.run(stop.signal);
  logger.info({ sampleFps, inferenceProcesses: options.inferenceProcesses }, "analytics started");

  return {
    stats: () => ({
      camerasHeld: tenure.heldCount,
      cameras: assignment.stats(),
      framesAnalysed: metrics.framesAnalysed,
      dropped: metrics.droppedByReason(),
      pending: pending(),
    }),
    health: async () => [
      await databaseHealth(urgent),
      { name: "camera leases", ok: tenure.isValid, detail: `${tenure.heldCount} cameras held` },
    ],
    async close() {
      stop.abort(new Error("analytics is closing"));
      await Promise.all([following, holding, reading, reporting]);
      loop.close();
      await assignment.stop();
      // Before what is left is written: others take over at once, and rows from before that are accepted still.
      await tenure.release();
      await rehearsals.close();
      await Promise.all([
        alarms.close(CLOSE_DEADLINE_MS),
        perception.close(CLOSE_DEADLINE_MS),
        pictures.close(CLOSE_DEADLINE_MS),
      ]);
      await pool.close();
      await Promise.all([records.end(), urgent.end()]);
      metrics.unregister();
    },
  };
}

function tenureOf(
  { databaseUrl, logger, worker = {}, inferenceProcesses }: AnalyticsOptions,
  faults: FaultLog,
): CameraTenure {
  return new CameraTenure({
    store: new PostgresCameraLeaseStore(databaseUrl),
    worker: {
      name: worker.name ?? `${hostname()}-${process.pid}`,
      capacity: worker.capacity ?? inferenceProcesses,
      isSuccessor: worker.isSuccessor ?? false,
    },
    newId: randomUUID,
    clock: new UnstoppedClock({ nowMs: () => performance.now() }, systemClock),
    faults,
    log: logger,
  });
}

function forkedPool(options: AnalyticsOptions, faults: FaultLog): InferencePool {
  return new ForkedInferencePool({
    processes: options.inferenceProcesses,
    ...(options.detector && { detector: options.detector }),
    onFault: (error) => faults.report(error, INFERENCE_FAULT, error.details),
    onReady: ({ name, provider }) =>
      options.logger.info({ inferenceProcess: name, provider }, "an inference process is ready"),
  });
}
