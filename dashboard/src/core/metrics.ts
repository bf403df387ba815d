/**
 * `window.__huishi`: what a bench or a browser test may read, and nothing that changes anything.
 *
 * - `tiles()`: for each live picture on the page: camera, capture time of the frame on the screen, when it was
 *   put up (both on the server's clock), frames presented and dropped, lag behind the newest fragment.
 * - `alarms()`: the last alarms that were painted: id, capture time, time of the paint (server's clock).
 * - `clockOffsetMs()`: server time minus this browser's time.
 * - `connection()`: `connecting`, `online`, `lost` or `signedOut`.
 */
import type { LiveHub } from "./live/live-hub.ts";
import type { LiveView } from "./live/live-view.ts";

interface TileMetrics {
  readonly cameraId: string;
  readonly capturedAtMs: number | null;
  readonly presentedAtMs: number | null;
  readonly presentedFrames: number;
  readonly droppedFrames: number;
  readonly lagMs: number;
  /** How far the newest boxes are behind the frame on the screen; null without boxes. */
  readonly sceneLagMs: number | null;
}
export interface AlarmMetrics {
  readonly id: string;
  readonly capturedAtMs: number;
  readonly presentedAtMs: number;
}
interface PageMetrics {
  tiles(): TileMetrics[];
  alarms(): AlarmMetrics[];
  clockOffsetMs(): number;
  connection(): string;
}
declare global {
  // The window's own name for it: read by tests and benches.
  var __huishi: PageMetrics | undefined;
}

const KEPT_ALARMS = 10_000;

export class Metrics {
  readonly #views = new Set<LiveView>();
  readonly #alarms = new Map<string, AlarmMetrics>();

  addView(view: LiveView): () => void {
    this.#views.add(view);
    return () => void this.#views.delete(view);
  }

  /** Notes the first paint of an alarm's row. */
  alarmPainted(alarm: AlarmMetrics): void {
    if (this.#alarms.has(alarm.id)) return;
    this.#alarms.set(alarm.id, alarm);
    const oldest = this.#alarms.keys().next();
    if (this.#alarms.size > KEPT_ALARMS && !oldest.done) this.#alarms.delete(oldest.value);
  }

  paintedAtMs(alarmId: string): number | undefined {
    return this.#alarms.get(alarmId)?.presentedAtMs;
  }

  expose(hub: LiveHub): void {
    const page: PageMetrics = {
      tiles: () =>
        [...this.#views].map((view) => ({
          cameraId: view.cameraId,
          capturedAtMs: view.facts.frame?.capturedAtMs ?? null,
          presentedAtMs: view.facts.frame?.presentedAtMs ?? null,
          ...view.stats,
          sceneLagMs: view.sceneLagMs,
        })),
      alarms: () => [...this.#alarms.values()],
      clockOffsetMs: () => hub.clockOffsetMs,
      connection: () => hub.connection.get().phase,
    };
    Object.defineProperty(globalThis, "__huishi", { value: Object.freeze(page), configurable: false });
  }
}
