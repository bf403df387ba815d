/**
 * One analytics process of the proof (../leases.faults.test.ts): the whole of `startAnalytics` on the real database, but
 * for pictures and inference. Every camera under analysis gives one frame every half a second, in which stands one
 * object whose `x` is the number of this process: so every detection row tells who concluded it, and when.
 */
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import type { CameraFeed, FeedOptions, InferencePool } from "../application/ports.ts";
import { startAnalytics } from "../compose.ts";
import type { Track } from "../domain/index.ts";

const FRAME_MS = 500;
const [databaseUrl = "", number = "0"] = [
  process.env["HUISHI_DATABASE_URL"],
  process.env["HUISHI_TEST_NUMBER"],
];

class ClockInference implements InferencePool {
  readonly #open = new Set<FeedOptions>();

  constructor() {
    setInterval(() => this.#see(), FRAME_MS).unref();
  }

  open(options: FeedOptions): Promise<CameraFeed> {
    this.#open.add(options);
    return Promise.resolve({
      push: () => undefined,
      snapshot: () => Promise.resolve(null),
      close: () => {
        this.#open.delete(options);
        return Promise.resolve();
      },
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #see(): void {
    for (const { cameraId, onFrame } of this.#open) {
      const capturedAtMs = Date.now();
      onFrame({ cameraId, session: 1, capturedAtMs, tracks: [object(capturedAtMs)], ended: [], stageMs: {} });
    }
  }
}

function object(nowMs: number): Track {
  return {
    id: 1,
    objectClass: "person",
    state: "confirmed",
    // Rows keep ten thousandths.
    box: { x: Number(number) / 10_000, y: 0, w: 0.1, h: 0.1 },
    velocity: { x: 0, y: 0 },
    firstSeenMs: nowMs,
    lastSeenMs: nowMs,
    observations: 5,
    scoreMean: 0.8,
    lastScore: 0.9,
    stationarySinceMs: null,
    observed: true,
  };
}

const logger = createLogger({ name: `worker-${number}`, level: "fatal" });
const analytics = await startAnalytics({
  databaseUrl,
  mediaBus: new InProcessMediaBus({ logger }),
  logger,
  inferenceProcesses: 1,
  sampleFps: 2,
  worker: { name: `worker-${number}`, capacity: 1 },
  inference: () => Promise.resolve(new ClockInference()),
});
process.once("SIGTERM", () => void analytics.close().then(() => process.exit(0)));
process.once("disconnect", () => process.exit(1));
process.send?.({ t: "started" });
