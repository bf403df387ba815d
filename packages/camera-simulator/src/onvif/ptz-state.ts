/** Where a camera with motors looks. Pure: time is handed in. */
import { BoundedQueue } from "@huishi/kernel";
import type { PtzCommand } from "../types.ts";

export interface PtzVector {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

const KEPT_COMMANDS = 1000;
const clamp = (value: number, min: number): number => Math.min(1, Math.max(min, value));

export const PRESETS: ReadonlyMap<string, PtzVector & { readonly name: string }> = new Map([
  ["1", { name: "Entrance", pan: -0.5, tilt: 0, zoom: 0 }],
  ["2", { name: "Crossing", pan: 0, tilt: -0.2, zoom: 0.3 }],
  ["3", { name: "Parking", pan: 0.6, tilt: -0.1, zoom: 0.5 }],
]);

/** Follows commands as motors would: a velocity of 1 turns half the range in a second. */
export class PtzState {
  readonly #nowMs: () => number;
  readonly #commands = new BoundedQueue<PtzCommand>(KEPT_COMMANDS, "dropOldest");
  #position: PtzVector = { pan: 0, tilt: 0, zoom: 0 };
  #velocity: PtzVector = { pan: 0, tilt: 0, zoom: 0 };
  #sinceMs = 0;
  #untilMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get commands(): readonly PtzCommand[] {
    const all = this.#commands.take(KEPT_COMMANDS);
    for (const command of all) this.#commands.push(command);
    return all;
  }

  get isMoving(): boolean {
    const { pan, tilt, zoom } = this.#velocity;
    return this.#nowMs() < this.#untilMs && (pan !== 0 || tilt !== 0 || zoom !== 0);
  }

  get position(): PtzVector {
    const seconds = Math.max(0, Math.min(this.#nowMs(), this.#untilMs) - this.#sinceMs) / 1000;
    const { pan, tilt, zoom } = this.#position;
    return {
      pan: clamp(pan + this.#velocity.pan * seconds, -1),
      tilt: clamp(tilt + this.#velocity.tilt * seconds, -1),
      zoom: clamp(zoom + this.#velocity.zoom * seconds, 0),
    };
  }

  moveContinuously(velocity: Partial<PtzVector>, timeoutMs: number): void {
    this.#log("ContinuousMove", velocity);
    this.#settle({ pan: velocity.pan ?? 0, tilt: velocity.tilt ?? 0, zoom: velocity.zoom ?? 0 }, timeoutMs);
  }

  moveTo(position: Partial<PtzVector>): void {
    this.#log("AbsoluteMove", position);
    this.#jump(position);
  }

  moveBy(translation: Partial<PtzVector>): void {
    this.#log("RelativeMove", translation);
    const { pan, tilt, zoom } = this.position;
    this.#jump({
      pan: pan + (translation.pan ?? 0),
      tilt: tilt + (translation.tilt ?? 0),
      zoom: zoom + (translation.zoom ?? 0),
    });
  }

  /** False when there is no such preset. */
  moveToPreset(token: string): boolean {
    const preset = PRESETS.get(token);
    if (!preset) return false;
    this.#commands.push({ atMs: this.#nowMs(), command: "GotoPreset", preset: token });
    this.#jump(preset);
    return true;
  }

  moveHome(): void {
    this.#log("GotoHomePosition", {});
    this.#jump({ pan: 0, tilt: 0, zoom: 0 });
  }

  stop(): void {
    this.#log("Stop", {});
    this.#settle({ pan: 0, tilt: 0, zoom: 0 }, 0);
  }

  #jump(target: Partial<PtzVector>): void {
    const now = this.position;
    this.#settle({ pan: 0, tilt: 0, zoom: 0 }, 0);
    this.#position = {
      pan: clamp(target.pan ?? now.pan, -1),
      tilt: clamp(target.tilt ?? now.tilt, -1),
      zoom: clamp(target.zoom ?? now.zoom, 0),
    };
  }

  /** Fixes the position reached so far and goes on with another velocity. */
  #settle(velocity: PtzVector, forMs: number): void {
    this.#position = this.position;
    this.#velocity = velocity;
    this.#sinceMs = this.#nowMs();
    this.#untilMs = this.#sinceMs + forMs;
  }

  #log(command: string, vector: Partial<PtzVector>): void {
    this.#commands.push({ atMs: this.#nowMs(), command, ...vector });
  }
}
