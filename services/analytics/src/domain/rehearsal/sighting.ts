import type { ObjectClass } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";

/** One object in one frame, as it is stored: the tracker's filtered box, the score of that frame's detection. */
export interface Sighting {
  readonly trackId: number;
  readonly objectClass: ObjectClass;
  readonly score: number;
  readonly box: Box;
}

/** What the store knows about a track as a whole. */
export interface TrackHistory {
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}
