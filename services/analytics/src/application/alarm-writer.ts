import { type Clock, HuishiError } from "@huishi/kernel";
import type { AlarmReceipt, FrameAlarms } from "./alarms.ts";
import type { FaultLog } from "./fault-log.ts";
import { GroupWriter } from "./group-writer.ts";
import { STORE_RETRY } from "./perception-writer.ts";
import type { AlarmStore, Meter } from "./ports.ts";

/** Takes the picture of the deciding frame out of the feed, while it is still there; null when it is not. */
export type TakePicture = () => Promise<Uint8Array | null>;

interface AlarmJob {
  readonly frame: FrameAlarms;
  readonly takePicture: TakePicture;
  /** Asked for at once when a rule raised something: after an outage the feed no longer has it. */
  readonly picture: Promise<Uint8Array | null> | null;
}

interface SnapshotJob {
  readonly alarmId: string;
  readonly jpeg: Uint8Array;
}

export interface AlarmWriterOptions {
  readonly store: AlarmStore;
  readonly meter: Meter;
  readonly faults: FaultLog;
  readonly clock: Clock;
}

const ALARM_CAPACITY = 20_000;
/** Pictures held in memory at once; alarms beyond are written without theirs (20 MB at 640x360). */
const MAX_WAITING_PICTURES = 400;

/** A process that hangs keeps no alarm from closing; the frame is kept for three seconds anyway. */
const PICTURE_TIMEOUT_MS = 5_000;
const DELAYED = {
  code: "ALARMS_DELAYED",
  message: "the database does not take alarms; they are kept and tried again: check that PostgreSQL runs",
};
const NO_PICTURE = {
  code: "SNAPSHOT_FAILED",
  message: "an alarm stays without its picture: its inference process could not give it",
};

/**
 * Alarms on their way to the database: before anything else, each exactly once, tried until it is committed.
 * The picture of the deciding frame follows in a transaction of its own, so that no alarm waits for one.
 */
export class AlarmWriter {
  readonly #options: AlarmWriterOptions;
  readonly #alarms: GroupWriter<AlarmJob>;
  readonly #snapshots: GroupWriter<SnapshotJob>;
  readonly #attaching = new Set<Promise<void>>();

  constructor(options: AlarmWriterOptions) {
    const { meter, faults } = options;
    this.#options = options;
    this.#alarms = new GroupWriter<AlarmJob>({
      capacity: ALARM_CAPACITY,
      maxRows: 100,
      maxDelayMs: 5,
      retry: STORE_RETRY,
      write: (jobs) => this.#commit(jobs),
      onDropped: (count) => {
        meter.dropped("alarm_buffer_full", count);
        faults.report(
          new HuishiError("ALARMS_LOST", "the oldest alarms are dropped: bring the database back"),
          DELAYED,
          { count },
        );
      },
      onRetry: (error) => faults.report(error, DELAYED),
      onRefused: (error, job) => {
        meter.dropped("alarm_refused", 1);
        faults.report(error, DELAYED, { table: "alarm", cameraId: job.frame.cameraId });
      },
    });
    this.#snapshots = new GroupWriter<SnapshotJob>({
      capacity: MAX_WAITING_PICTURES,
      maxRows: 1,
      maxDelayMs: 0,
      retry: STORE_RETRY,
      write: async ([job]) => {
        if (job) await options.store.addSnapshot(job.alarmId, job.jpeg);
      },
      onDropped: (count) => meter.dropped("snapshot_buffer_full", count),
      onRetry: (error) => faults.report(error, DELAYED),
      onRefused: () => meter.dropped("snapshot_refused", 1),
    });
  }

  /** Alarms and pictures not committed yet. */
  get pending(): number {
    return this.#alarms.pending + this.#attaching.size + this.#snapshots.pending;
  }

  push(frame: FrameAlarms, takePicture: TakePicture): void {
    const isRaise = frame.alarms.some((alarm) => alarm.isNew);
    this.#alarms.push([{ frame, takePicture, picture: isRaise ? this.#take(takePicture) : null }]);
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#alarms.close(deadlineMs);
    await Promise.all(this.#attaching);
    await this.#snapshots.close(deadlineMs);
  }

  async #commit(jobs: readonly AlarmJob[]): Promise<void> {
    const receipts = await this.#options.store.commit(jobs.map((job) => job.frame));
    this.#options.faults.recovered(DELAYED.code);
    const nowMs = this.#options.clock.nowMs();
    for (const receipt of receipts) {
      this.#options.meter.alarm(receipt.opened ? "opened" : "counted", nowMs - receipt.capturedAtMs);
    }
    for (const job of jobs)
      this.#attach(
        job,
        receipts.filter((receipt) => belongs(receipt, job)),
      );
  }

  /** Gives the new alarms of one frame their picture. */
  #attach(job: AlarmJob, receipts: readonly AlarmReceipt[]): void {
    const opened = receipts.filter((receipt) => receipt.opened);
    const picture = job.picture ?? (opened.length > 0 ? this.#take(job.takePicture) : null);
    if (!picture) return;
    const attaching = picture.then((jpeg) => {
      if (opened.length === 0) return;
      if (jpeg) this.#snapshots.push(opened.map(({ alarmId }) => ({ alarmId, jpeg })));
      else this.#options.meter.dropped("snapshot_missing", opened.length);
    });
    this.#attaching.add(attaching);
    void attaching.finally(() => this.#attaching.delete(attaching));
  }

  /** Never rejects. */
  #take(takePicture: TakePicture): Promise<Uint8Array | null> {
    if (this.#alarms.pending > MAX_WAITING_PICTURES) return Promise.resolve(null);
    const taken = takePicture().catch((error: unknown) => {
      this.#options.faults.report(error, NO_PICTURE);
      return null;
    });
    return nullAfter(taken, PICTURE_TIMEOUT_MS);
  }
}

/** What the promise gives, or null when it takes too long. */
function nullAfter<T>(promise: Promise<T>, timeoutMs: number): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function belongs(receipt: AlarmReceipt, { frame }: AlarmJob): boolean {
  return (
    receipt.cameraId === frame.cameraId &&
    receipt.capturedAtMs === frame.capturedAtMs &&
    frame.alarms.some((alarm) => alarm.rule.id === receipt.ruleId)
  );
}
