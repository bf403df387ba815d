import type { Box } from "@huishi/kernel";

/** A part of the picture that has been other than the background for a while, and does not move. */
export interface StaticRegion {
  /** Stays while the region does; counts up and is never reused by one model. */
  readonly id: number;
  /** `appeared`: something was put there; `vanished`: something that belonged there is gone. */
  readonly kind: "appeared" | "vanished";
  readonly box: Box;
  /** Since when it has looked so. */
  readonly sinceMs: number;
  /** How clearly the edges tell, 0..1. */
  readonly score: number;
}
