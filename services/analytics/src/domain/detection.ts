import type { ObjectClass } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";

/** One object in one frame, as a detector saw it. The box is normalised to the whole picture. */
export interface Detection {
  readonly objectClass: ObjectClass;
  /** Confidence, 0..1. */
  readonly score: number;
  readonly box: Box;
}
