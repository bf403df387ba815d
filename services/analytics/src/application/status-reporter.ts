/** Says every few seconds how the analysis of this process goes, for whoever looks at the system as a whole. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import {
  type AnalysedCamera,
  ANALYTICS_STATUS_EVERY_MS,
  ANALYTICS_STATUS_MOST_CAMERAS,
  type AnalyticsDrop,
  type AnalyticsProcess,
  type StageTimes,
} from "@huishi/contracts";
import { type Clock, sleep } from "@huishi/kernel";
import type { FaultLog } from "./fault-log.ts";

export type ProcessStatus = Omit<AnalyticsProcess, "updatedAtMs">;

export interface StatusStore {
  /** Replaces what the process said before, and forgets processes that have not spoken for long. */
  write(status: ProcessStatus): Promise<void>;
  /** The process ends. */
  remove(instanceId: string): Promise<void>;
}

/** What the processes cost. Null where the system does not tell. */
export interface Usage {
  readonly residentBytes: number | null;
  /** Since they were started. */
  readonly cpuSeconds: number | null;
  /** Children of the children: the decoders. */
  readonly decoders: number;
}

export interface StatusParts {
  readonly store: StatusStore;
  readonly faults: FaultLog;
  readonly clock: Clock;
  readonly cameras: () => readonly AnalysedCamera[];
  readonly framesAnalysed: () => number;
  readonly drops: () => readonly AnalyticsDrop[];
  /** Stages over the last minute; called once an interval. */
  readonly takeStages: () => readonly StageTimes[];
  /** Since it was asked before. */
  readonly takeLoopDelayP99Ms: () => number;
  readonly inferencePids: () => readonly number[];
  readonly usage: (inferencePids: readonly number[]) => Usage;
  readonly everyMs?: number;
}

const FAULT = {
  code: "STATUS_UNWRITTEN",
  message: "how the analysis goes cannot be written; the analysis itself goes on: check that PostgreSQL runs",
};

export class StatusReporter {
  readonly name = "analytics status";
  readonly instanceId = `${hostname().slice(0, 64)}-${process.pid}-${randomUUID().slice(0, 8)}`;
  readonly #parts: StatusParts;
  readonly #startedAtMs: number;
  #before: { readonly atMs: number; readonly frames: number; readonly cpuSeconds: number | null };

  constructor(parts: StatusParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.nowMs();
    this.#before = { atMs: this.#startedAtMs, frames: 0, cpuSeconds: null };
  }

  /** Until the signal aborts. A database that is away costs this report and nothing else. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, faults, everyMs = ANALYTICS_STATUS_EVERY_MS } = this.#parts;
    while (await waited(everyMs, signal)) {
      try {
        await store.write(this.take());
        faults.recovered(FAULT.code);
      } catch (error) {
        faults.report(error, FAULT);
      }
    }
    await store.remove(this.instanceId).catch(() => undefined);
  }

  /** How it goes now; rates are since the last call. */
  take(): ProcessStatus {
    const { clock, cameras, inferencePids, usage, drops, framesAnalysed } = this.#parts;
    const atMs = clock.nowMs();
    const pids = inferencePids();
    const { residentBytes, cpuSeconds, decoders } = usage(pids);
    const frames = framesAnalysed();
    const seconds = Math.max((atMs - this.#before.atMs) / 1000, 0.001);
    const usedSeconds =
      cpuSeconds === null || this.#before.cpuSeconds === null ? null : cpuSeconds - this.#before.cpuSeconds;
    const perSecond = (frames - this.#before.frames) / seconds;
    this.#before = { atMs, frames, cpuSeconds };
    const all = cameras();
    return {
      instanceId: this.instanceId,
      host: hostname().slice(0, 255),
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      cameraCount: all.length,
      framesAnalysed: frames,
      framesPerSecond: rounded(perSecond),
      drops: [...drops()],
      stages: [...this.#parts.takeStages()],
      eventLoopDelayP99Ms: rounded(this.#parts.takeLoopDelayP99Ms()),
      inferenceProcesses: pids.length,
      decoders,
      residentBytes,
      // A child that ended took its time along.
      coresUsed: usedSeconds === null ? null : rounded(Math.max(0, usedSeconds) / seconds),
      cameras: all.slice(0, ANALYTICS_STATUS_MOST_CAMERAS),
    };
  }
}

function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
