import type { AccessUnit, ObjectClass } from "@huishi/contracts";
import type { AnalysedFrame, CameraFeed, FeedOptions, InferencePool } from "../application/ports.ts";

export const PICTURE = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);

/** Inference that finds what the test says: `see` stands for a child's result. */
export class FakeInference implements InferencePool {
  readonly feeds = new Map<string, FeedOptions>();
  readonly units: AccessUnit[] = [];
  opened = 0;
  /** Feeds of one camera that were open at once. */
  mostAtOnce = 0;
  readonly #openOf = new Map<string, number>();
  closedPools = 0;
  /** What the model knows; absent: it does not say. */
  classes?: readonly ObjectClass[];
  /** Thrown by the next `open` calls. */
  fault: Error | null = null;

  open(options: FeedOptions): Promise<CameraFeed> {
    if (this.fault) return Promise.reject(this.fault);
    this.opened += 1;
    const open = (this.#openOf.get(options.cameraId) ?? 0) + 1;
    this.#openOf.set(options.cameraId, open);
    this.mostAtOnce = Math.max(this.mostAtOnce, open);
    this.feeds.set(options.cameraId, options);
    return Promise.resolve({
      ...(this.classes && { classes: this.classes }),
      push: (unit) => void this.units.push(unit),
      snapshot: () => Promise.resolve(PICTURE),
      close: () => {
        this.#openOf.set(options.cameraId, (this.#openOf.get(options.cameraId) ?? 1) - 1);
        this.feeds.delete(options.cameraId);
        return Promise.resolve();
      },
    });
  }

  close(): Promise<void> {
    this.closedPools += 1;
    return Promise.resolve();
  }

  see(cameraId: string, capturedAtMs: number, fields: Partial<AnalysedFrame> = {}): void {
    const feed = this.feeds.get(cameraId);
    if (!feed) throw new Error(`${cameraId} is not analysed`);
    feed.onFrame({
      cameraId,
      session: 1,
      capturedAtMs,
      tracks: [],
      ended: [],
      stageMs: { decode: 2, detect: 8 },
      ...fields,
    });
  }
}
