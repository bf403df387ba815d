import type { Tenure } from "./camera-leases.ts";
import type { CameraFeed, FeedOptions, InferencePool, Meter } from "./ports.ts";

/**
 * Inference whose results count only while the camera is held: a process that stood still wakes up with frames in its
 * pipes that are another's to judge by now. What is refused is counted.
 */
export class HeldPool implements InferencePool {
  readonly #pool: InferencePool;
  readonly #tenure: Pick<Tenure, "isHeld">;
  readonly #meter: Pick<Meter, "dropped">;

  constructor(pool: InferencePool, tenure: Pick<Tenure, "isHeld">, meter: Pick<Meter, "dropped">) {
    this.#pool = pool;
    this.#tenure = tenure;
    this.#meter = meter;
  }

  open(options: FeedOptions): Promise<CameraFeed> {
    return this.#pool.open({
      ...options,
      onFrame: (frame) => {
        if (this.#tenure.isHeld(frame.cameraId)) options.onFrame(frame);
        else this.#meter.dropped("not_held", 1);
      },
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
