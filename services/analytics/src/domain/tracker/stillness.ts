import { PARAMETERS } from "./parameters.ts";

/** A single stray box must not end a long stillness: it has to stay away this long. */
const AWAY_MS = 1_000;

/** Tells since when an object has stood still: since it last came to an anchor that it has kept close to. */
export class Stillness {
  sinceMs: number | null = null;
  private anchorX: number;
  private anchorY: number;
  private anchoredAtMs: number;
  private awaySinceMs: number | null = null;

  constructor(x: number, y: number, capturedAtMs: number) {
    this.anchorX = x;
    this.anchorY = y;
    this.anchoredAtMs = capturedAtMs;
  }

  /** The camera moved by as much. */
  shift(x: number, y: number): void {
    this.anchorX += x;
    this.anchorY += y;
  }

  /** @param size of the object, in the unit of x and y */
  update(x: number, y: number, size: number, capturedAtMs: number): void {
    const distance = Math.hypot(x - this.anchorX, y - this.anchorY) / size;
    if (distance <= PARAMETERS.stillTolerance) {
      this.awaySinceMs = null;
      if (capturedAtMs - this.anchoredAtMs >= PARAMETERS.stillAfterMs) this.sinceMs = this.anchoredAtMs;
      return;
    }
    this.awaySinceMs ??= capturedAtMs;
    const strayed = this.sinceMs !== null && distance < 4 * PARAMETERS.stillTolerance;
    if (strayed && capturedAtMs - this.awaySinceMs < AWAY_MS) return;
    this.anchorX = x;
    this.anchorY = y;
    this.anchoredAtMs = capturedAtMs;
    this.awaySinceMs = null;
    this.sinceMs = null;
  }
}
