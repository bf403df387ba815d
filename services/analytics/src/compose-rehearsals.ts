import { supervise } from "@huishi/kernel";
import { createPool, type Logger } from "@huishi/platform";
import { randomUUID } from "node:crypto";
import { ForkedClip } from "./adapters/clip-analysis/index.ts";
import {
  PostgresClipContents,
  PostgresRehearsalPerception,
  PostgresRehearsalStore,
  PostgresSpanStore,
} from "./adapters/postgres/index.ts";
import { AnalysisSpans } from "./application/analysis-spans.ts";
import type { DetectorChoice } from "./application/detection/detector-choice.ts";
import type { FaultLog } from "./application/fault-log.ts";
import type { FrameSource, RehearsalLane } from "./application/rehearsal/ports.ts";
import { RehearsalWorker } from "./application/rehearsal/rehearsal-worker.ts";
import { StoredTracks } from "./application/rehearsal/stored-tracks.ts";

const RETRY = { baseDelayMs: 500, maxDelayMs: 5_000, healthyAfterMs: 10_000 };
const TRACKS_DEADLINE_MS = 20 * 60_000;
/** An hour of 5 frames a second is about ten minutes of one core; live cameras may need it first. */
const CLIP_DEADLINE_MS = 120 * 60_000;
const WORKER_FAILED = {
  code: "REHEARSAL_WORKER_FAILED",
  message: "the taking of rehearsals failed and is started again",
};

export interface RehearsalsOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly faults: FaultLog;
  readonly sampleFps: number;
  /** What looks at clips; default: our own model on the CPU. */
  readonly detector?: DetectorChoice;
}

export interface Rehearsals {
  /** Is told of every analysed frame. */
  readonly spans: AnalysisSpans;
  close(): Promise<void>;
}

/** Takes rehearsals out of the database, one of each lane at a time. Its connections are its own: nothing live waits. */
export function startRehearsals(options: RehearsalsOptions): Rehearsals {
  const { databaseUrl, logger, faults, sampleFps, detector } = options;
  const pool = createPool(databaseUrl, { max: 3, applicationName: "huishi-analytics-rehearsals", logger });
  const store = new PostgresRehearsalStore(pool);
  const perception = new PostgresRehearsalPerception(pool);
  const spans = new AnalysisSpans({ store: new PostgresSpanStore(pool), faults });
  const stop = new AbortController();
  const lanes: [RehearsalLane, FrameSource, number][] = [
    ["tracks", new StoredTracks({ store: perception, sampleFps }), TRACKS_DEADLINE_MS],
    [
      "clip",
      new ForkedClip({
        contents: new PostgresClipContents(pool),
        sampleFps,
        ...(detector && { detector }),
      }),
      CLIP_DEADLINE_MS,
    ],
  ];
  const running = lanes.map(([lane, source, deadlineMs]) =>
    supervise(
      new RehearsalWorker({
        lane,
        source,
        deadlineMs,
        store,
        grounds: perception,
        faults,
        worker: randomUUID(),
      }),
      stop.signal,
      { ...RETRY, onFailure: ({ error }) => faults.report(error, WORKER_FAILED, { lane }) },
    ),
  );
  return {
    spans,
    async close() {
      stop.abort(new Error("analytics is closing"));
      await Promise.all(running);
      await spans.close();
      await pool.end();
    },
  };
}
