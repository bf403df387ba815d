import { CameraHabits } from "../tracker/camera-habits.ts";
import { measure } from "../tracker/measurement.ts";
import { PARAMETERS } from "../tracker/parameters.ts";
import type { Track } from "../tracker/track.ts";
import { ReplayedTrack } from "./replayed-track.ts";
import type { Sighting, TrackHistory } from "./sighting.ts";

export interface TrackReplayOptions {
  /** Picture width / height. */
  readonly aspectRatio: number;
  /** What the store knows about a track; undefined when nothing. */
  readonly historyOf: (trackId: number) => TrackHistory | undefined;
}

/**
 * Rebuilds from stored detections what the tracker said in each frame: states, velocities, mean scores, stillness, and
 * the tracks that were lost for a while. Pure and deterministic.
 *
 * Stored are the believed tracks that a frame saw, with their filtered boxes; from those the measurements are told, and
 * the tracker's own record of a track is fed with them. So what is rebuilt differs from what the live tracker knew in two
 * ways: what it saw of a track before it believed it is not stored; and whether an object that stands was hidden or only
 * not looked at is not told (it counts as there until it was seen last).
 */
export class TrackReplay {
  private readonly options: TrackReplayOptions;
  private readonly habits = new CameraHabits();
  private living = new Map<number, ReplayedTrack>();
  private clockMs: number | null = null;

  constructor(options: TrackReplayOptions) {
    this.options = options;
  }

  /** @param capturedAtMs later than in the call before @param sightings empty where a frame showed nothing */
  update(sightings: readonly Sighting[], capturedAtMs: number): Track[] {
    const elapsedMs = this.clockMs === null ? 0 : capturedAtMs - this.clockMs;
    if (elapsedMs > PARAMETERS.stationaryGapMs) this.living.clear();
    else if (elapsedMs > PARAMETERS.gapMs) this.endMoving();
    this.clockMs = capturedAtMs;
    this.habits.learnScores(sightings.map((sighting) => measure(sighting, this.options.aspectRatio)));
    const seen = new Set<number>();
    for (const sighting of sightings) {
      if (seen.has(sighting.trackId)) continue;
      seen.add(sighting.trackId);
      const track = this.living.get(sighting.trackId);
      if (track) track.see(sighting, capturedAtMs);
      else this.living.set(sighting.trackId, this.begin(sighting, capturedAtMs));
    }
    this.habits.learnAgility([...this.living.values()].map(({ living }) => living));
    const tracks: Track[] = [];
    for (const [id, track] of this.living) {
      if (!seen.has(id)) track.pass(capturedAtMs);
      if (track.isOver(capturedAtMs)) this.living.delete(id);
      else tracks.push(track.snapshot());
    }
    return tracks.sort((a, b) => a.id - b.id);
  }

  /** Is nobody followed? Then a frame without sightings says the same as the one before. */
  get isEmpty(): boolean {
    return this.living.size === 0;
  }

  private begin(sighting: Sighting, capturedAtMs: number): ReplayedTrack {
    const { aspectRatio, historyOf } = this.options;
    const history = historyOf(sighting.trackId);
    return new ReplayedTrack(sighting, {
      capturedAtMs,
      aspectRatio,
      habits: this.habits,
      ...(history && { history }),
    });
  }

  /** A gap in the pictures ends all that moved, as in the tracker. */
  private endMoving(): void {
    for (const [id, track] of this.living) if (!track.isStill) this.living.delete(id);
  }
}
