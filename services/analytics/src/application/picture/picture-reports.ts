import { type Clock, HuishiError, sleep, systemClock } from "@huishi/kernel";
import type { FoundFault } from "@huishi/media";
import type { FaultLog } from "../fault-log.ts";
import type { PictureVerdict } from "./picture-look.ts";

/** What the centre's own look at a camera's picture says. */
export interface PictureReport {
  readonly cameraId: string;
  /** Null: not judged (any more). */
  readonly faults: readonly FoundFault[] | null;
  readonly atMs: number;
}

export interface PictureStore {
  writePictures(reports: readonly PictureReport[]): Promise<void>;
}

export interface PictureReportsOptions {
  readonly store: PictureStore;
  readonly faults: FaultLog;
  readonly clock?: Clock;
}

/** Who reads it takes a fault that was not said again for half an hour for over: the analysis may have been killed. */
const REPEAT_MS = 600_000;
const DELAYED = {
  code: "RECORDS_DELAYED",
  message: "what is wrong with cameras' pictures cannot be written and waits: check that PostgreSQL runs",
};

interface Camera {
  /** Of the last report that was asked to be written, and when. */
  told: string;
  toldAtMs: number;
  /** Waits to be written; bounded: the last one alone counts. */
  waiting: PictureReport | null;
}

/** Writes what changed, one report a camera at most waits; what could not be written goes with the next one. */
export class PictureReports {
  readonly #store: PictureStore;
  readonly #faults: FaultLog;
  readonly #clock: Clock;
  readonly #cameras = new Map<string, Camera>();
  #writing: Promise<void> | null = null;

  constructor({ store, faults, clock = systemClock }: PictureReportsOptions) {
    this.#store = store;
    this.#faults = faults;
    this.#clock = clock;
  }

  /** One look at a camera. */
  saw(cameraId: string, { faults, isKnown }: PictureVerdict): void {
    this.#tell(cameraId, faults.length > 0 || isKnown ? faults : null);
  }

  /** The camera is no longer looked at, or anew by a judge that knows nothing yet. */
  unknown(cameraId: string): void {
    this.#tell(cameraId, null);
  }

  /** Resolves when everything was tried once more, or after the time. */
  async close(deadlineMs: number): Promise<void> {
    this.#wake();
    const late = new AbortController();
    await Promise.race([this.#writing, sleep(deadlineMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  #tell(cameraId: string, faults: readonly FoundFault[] | null): void {
    const nowMs = this.#clock.nowMs();
    const told = JSON.stringify(faults);
    const known = this.#cameras.get(cameraId);
    const isDue = faults !== null && faults.length > 0 && nowMs - (known?.toldAtMs ?? 0) >= REPEAT_MS;
    if (known?.told !== told || isDue)
      this.#cameras.set(cameraId, { told, toldAtMs: nowMs, waiting: { cameraId, faults, atMs: nowMs } });
    this.#wake();
  }

  #wake(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  async #write(): Promise<void> {
    for (let batch = this.#waiting(); batch.length > 0; batch = this.#waiting()) {
      try {
        await this.#store.writePictures(batch);
        this.#settle(batch);
      } catch (error) {
        this.#faults.report(
          error instanceof HuishiError
            ? error
            : new HuishiError(DELAYED.code, DELAYED.message, { cause: error }),
          DELAYED,
        );
        return;
      }
    }
  }

  #waiting(): PictureReport[] {
    return [...this.#cameras.values()].flatMap(({ waiting }) => waiting ?? []);
  }

  /** A newer report that came meanwhile stays. */
  #settle(written: readonly PictureReport[]): void {
    for (const report of written) {
      const camera = this.#cameras.get(report.cameraId);
      if (camera?.waiting === report) camera.waiting = null;
    }
  }
}
