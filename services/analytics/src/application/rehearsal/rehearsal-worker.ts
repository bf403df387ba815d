import type { RehearsalSubject } from "@huishi/contracts";
import { HuishiError, type Runnable, sleep } from "@huishi/kernel";
import { RehearsalRun } from "../../domain/index.ts";
import type { FaultLog } from "../fault-log.ts";
import type { FrameSource, GroundPlanes, RehearsalJob, RehearsalLane, RehearsalStore } from "./ports.ts";

/** How often an idle worker looks for a job. */
const LOOK_MS = 700;
/** A job is another worker's after fifteen seconds of silence (rehearsal-store.ts). */
const BEAT_MS = 2_000;
/** Beats that may fail in a row before the job is let go: by then it may be another worker's. */
const BEATS_MISSED = 5;

const FAULT = {
  code: "REHEARSAL_FAILED",
  message: "a rehearsal failed by itself; its job says so, everything else goes on",
};
const LOST = {
  code: "REHEARSALS_UNREACHABLE",
  message: "the rehearsals in the database cannot be reached: check that PostgreSQL runs",
};

export interface RehearsalWorkerOptions {
  readonly lane: RehearsalLane;
  /** Unique among all workers of all processes. */
  readonly worker: string;
  readonly store: RehearsalStore;
  readonly source: FrameSource;
  readonly grounds: GroundPlanes;
  readonly faults: FaultLog;
  /** A rehearsal that takes longer has failed (`REHEARSAL_TOO_SLOW`). */
  readonly deadlineMs: number;
}

/** Takes rehearsals of one lane, one at a time: live cameras come first. */
export class RehearsalWorker implements Runnable {
  readonly name: string;
  readonly #options: RehearsalWorkerOptions;

  constructor(options: RehearsalWorkerOptions) {
    this.name = `rehearsals over ${options.lane}`;
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const job = await this.#claim();
      if (job) await this.#rehearse(job, signal);
      else await sleep(LOOK_MS, signal);
    }
  }

  async #claim(): Promise<RehearsalJob | null> {
    const { store, worker, lane, faults } = this.#options;
    try {
      const job = await store.claim(worker, lane);
      faults.recovered(LOST.code);
      return job;
    } catch (error) {
      faults.report(error, LOST);
      return null;
    }
  }

  async #rehearse(job: RehearsalJob, stopping: AbortSignal): Promise<void> {
    const { store, worker, source, grounds, faults, deadlineMs } = this.#options;
    const hold = new JobHold(job.id, this.#options);
    const signal = AbortSignal.any([stopping, hold.lost, AbortSignal.timeout(deadlineMs)]);
    try {
      let run: RehearsalRun | null = null;
      const groundPlane = await grounds.groundPlane(job.cameraId);
      const looked = await source.play(
        job,
        {
          onBegin: (surroundings) => {
            run = new RehearsalRun({
              ...withoutSensors(job),
              surroundings: { ...surroundings, groundPlane },
            });
          },
          onFrame: ({ tracks, capturedAtMs, picture }) => run?.update(tracks, capturedAtMs, picture),
          onProgress: (progress) => hold.at(progress),
        },
        signal,
      );
      if (run === null) throw new Error("the rehearsal ended before it began");
      await store.finish(job.id, worker, (run as RehearsalRun).finish(looked));
    } catch (error) {
      // Cancelled or another worker's: nothing to say. Stopping: the next worker takes it over.
      if (hold.lost.aborted || stopping.aborted) return;
      const told = asTold(error, signal.aborted, deadlineMs);
      if (told.code === FAULT.code) faults.report(error, FAULT, { rehearsalId: job.id });
      await store.fail(job.id, worker, told).catch((thrown: unknown) => faults.report(thrown, LOST));
    } finally {
      hold.release();
    }
  }
}

/** On a clip nobody knows what a sensor said: its condition counts as met. */
function withoutSensors(job: RehearsalJob): Pick<RehearsalJob, "cameraId" | "subject" | "baseline"> {
  if (job.source.kind === "tracks") return job;
  const strip = (subject: RehearsalSubject): RehearsalSubject => ({
    ...subject,
    rule: { ...subject.rule, sensor: null },
  });
  return { ...job, subject: strip(job.subject), baseline: job.baseline && strip(job.baseline) };
}

/** What the person is told. */
function asTold(error: unknown, isLate: boolean, deadlineMs: number): { code: string; message: string } {
  if (isLate) {
    const minutes = Math.round(deadlineMs / 60_000);
    return {
      code: "REHEARSAL_TOO_SLOW",
      message: `The rehearsal took longer than ${minutes} minutes; choose a shorter time or clip.`,
    };
  }
  if (error instanceof HuishiError && /^(REHEARSAL|MODEL|DECODER|INFERENCE|DETECTOR)_/.test(error.code))
    return { code: error.code, message: error.message };
  return { code: FAULT.code, message: "The rehearsal failed by itself; try again, and see the log." };
}

/** Tells the store that the worker lives, until released. */
class JobHold {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #progress = 0;
  #missed = 0;

  constructor(jobId: string, { store, worker }: Pick<RehearsalWorkerOptions, "store" | "worker">) {
    this.#timer = setInterval(() => {
      store.beat(jobId, worker, this.#progress).then(
        (isOurs) => {
          this.#missed = 0;
          if (!isOurs) this.#lost.abort(new Error("the rehearsal is no longer this worker's"));
        },
        () => {
          if (++this.#missed >= BEATS_MISSED) this.#lost.abort(new Error("the database is away"));
        },
      );
    }, BEAT_MS);
  }

  /** Aborts when the job is no longer this worker's. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  at(progress: number): void {
    this.#progress = Math.min(Math.max(progress, 0), 1);
  }

  release(): void {
    clearInterval(this.#timer);
  }
}
