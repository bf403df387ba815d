import type { ObjectClass } from "@huishi/contracts";
import type { Box, Point } from "@huishi/kernel";

/**
 * Life of a track: `tentative` until it has been seen often enough to be believed, `confirmed` while it is seen,
 * `lost` while it is looked for (its box is then a prediction), then ended and reported once.
 */
export type TrackState = "tentative" | "confirmed" | "lost";

/** One object over time, as it stands at one capture time. A value: the tracker never changes it afterwards. */
export interface Track {
  /** Never reused; counts up from the tracker's `firstTrackId`. */
  readonly id: number;
  /** The class most votes (weighted by score) were given for. */
  readonly objectClass: ObjectClass;
  readonly state: TrackState;
  /** Filtered position, or the prediction while the track is not observed. Normalised, clipped to the picture. */
  readonly box: Box;
  /** Velocity of the box's centre, in picture widths and heights per second. */
  readonly velocity: Point;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Frames in which a detection was assigned to the track. */
  readonly observations: number;
  /** Mean score of the confident sightings; weak ones only tell where it is. */
  readonly scoreMean: number;
  readonly lastScore: number;
  /** Capture time since which the object has stood still; null while it moves. */
  readonly stationarySinceMs: number | null;
  /** True when a detection of this very frame belongs to the track. */
  readonly observed: boolean;
}

export interface TrackerUpdate {
  /** All living tracks, by rising id. */
  readonly tracks: readonly Track[];
  /** Tracks that ended with this frame and had once been confirmed, by rising id. */
  readonly ended: readonly Track[];
}
