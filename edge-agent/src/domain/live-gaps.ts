/** Pictures that were wanted and not sent, from the first to the next one that was. */
export interface LiveGap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: "uplink" | "camera";
}

/** Shorter interruptions are no gap: a reconnection of the camera, a moment of back-pressure. */
const MIN_GAP_MS = 2_000;
/** A demand that comes back later than this after the link is nobody's old demand. */
const MEMORY_MS = 7 * 86_400_000;

/**
 * Follows one wanted stream through its interruptions. A demand that ran out while the uplink was away counts as
 * wanted on, if it comes back: the centre could not renew it.
 */
export class LiveGaps {
  #open: { fromMs: number; reason: LiveGap["reason"] } | null = null;

  /** A picture could not be sent, or none came. The first word of a gap holds. */
  lost(atMs: number, reason: LiveGap["reason"]): void {
    this.#open ??= { fromMs: atMs, reason };
  }

  /** A picture was sent: the gap that ends with it, if there was one. */
  sent(capturedAtMs: number): LiveGap | null {
    const open = this.#open;
    if (open === null) return null;
    this.#open = null;
    const lengthMs = capturedAtMs - open.fromMs;
    return lengthMs < MIN_GAP_MS || lengthMs > MEMORY_MS ? null : { ...open, toMs: capturedAtMs };
  }

  /** Nobody wants the stream any longer: what comes later is no gap. Not so while the uplink is away. */
  unwanted(isConnected: boolean): void {
    if (isConnected) this.#open = null;
  }
}
