import type { CameraFault } from "@huishi/contracts";

/** A fault as `camera_health` events carry it. */
interface CameraFinding {
  readonly fault: CameraFault;
  readonly sinceMs: number;
}

/** What the picture watch found of one camera. `flowing` null: its stream is not held, or nothing is known yet. */
export interface CameraFindings {
  readonly faults: readonly CameraFinding[];
  readonly flowing: boolean | null;
}

type Listener = (findings: CameraFindings) => void;

/** Where the picture watch lays down what it finds, and each camera's reporter picks it up. */
export class FindingsBoard {
  readonly #latest = new Map<string, CameraFindings>();
  readonly #listeners = new Map<string, Listener>();

  put(cameraId: string, findings: CameraFindings): void {
    this.#latest.set(cameraId, findings);
    this.#listeners.get(cameraId)?.(findings);
  }

  remove(cameraId: string): void {
    this.put(cameraId, { faults: [], flowing: null });
    this.#latest.delete(cameraId);
  }

  /** One listener a camera; it is told at once what is known already. */
  listen(cameraId: string, listener: Listener): void {
    if (this.#listeners.get(cameraId) === listener) return;
    this.#listeners.set(cameraId, listener);
    const known = this.#latest.get(cameraId);
    if (known) listener(known);
  }
}
