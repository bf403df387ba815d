import { type Box, iou } from "@huishi/kernel";
import { sameGroup } from "../class-group.ts";
import type { Detection } from "../detection.ts";
import type { InspectedRegion } from "../regions.ts";
import { Glances, type Look } from "./appearance.ts";
import { associate } from "./association.ts";
import { cameraShift } from "./camera-shift.ts";
import { CameraHabits } from "./camera-habits.ts";
import { LivingTrack } from "./living-track.ts";
import { type Measurement, measure } from "./measurement.ts";
import { PARAMETERS } from "./parameters.ts";
import type { Track, TrackerUpdate } from "./track.ts";

export interface TrackerOptions {
  /** Id of the first track; ids count up from here and are never reused. */
  readonly firstTrackId: number;
  /** Picture width / height, so that distances are the same in both directions. Default 16/9. */
  readonly aspectRatio?: number;
}

/** The frame at hand. */
interface Frame {
  readonly capturedAtMs: number;
  readonly glances: Glances;
}

/** A clock that goes back further than this was set; a smaller step is a late frame. */
const LATE_FRAME_MS = 5_000;
/** Share of a track's box that must have been inspected before its absence means anything. */
const COVERED = 0.8;

/**
 * Follows objects over the frames of one camera. Pure and deterministic: only detections and capture times count,
 * and the order of the detections does not.
 *
 * Two passes of cheapest assignment after Zhang et al. 2022 ("ByteTrack", §3): confident detections with all
 * tracks, then weak ones with the tracks that were there just before; the cost is a likelihood, not an overlap.
 */
export class Tracker {
  private readonly aspectRatio: number;
  private nextId: number;
  private clockMs: number | null = null;
  private living: LivingTrack[] = [];
  /** The detections of this frame that are somebody's. */
  private readonly matched = new Map<LivingTrack, Measurement>();
  private readonly habits = new CameraHabits();

  constructor(options: TrackerOptions) {
    this.nextId = options.firstTrackId;
    this.aspectRatio = options.aspectRatio ?? 16 / 9;
  }

  /** The id that the next new track would get. */
  get nextTrackId(): number {
    return this.nextId;
  }

  /**
   * Takes the detections of one frame.
   * @param observedRegions the parts of the picture that were inspected, normalised; absent = the whole picture.
   * A track outside of them is carried on, not counted as missed.
   * @param look at boxes of this frame's picture; called for few of them. Absent = nothing is known of appearances.
   */
  update(
    detections: readonly Detection[],
    capturedAtMs: number,
    observedRegions?: readonly InspectedRegion[],
    look?: Look,
  ): TrackerUpdate {
    const elapsedMs = this.clockMs === null ? 0 : capturedAtMs - this.clockMs;
    if (this.clockMs !== null && elapsedMs <= 0 && elapsedMs > -LATE_FRAME_MS) return this.unchanged();
    const ended = this.endByClock(elapsedMs);
    this.clockMs = capturedAtMs;
    for (const track of this.living) track.predict(Math.max(0, elapsedMs) / 1000);

    const measured = ordered(detections, this.aspectRatio);
    this.matched.clear();
    this.habits.learnScores(measured);
    const high = PARAMETERS.highScore * this.habits.typicalScore;
    const strong = measured.filter((one) => one.detection.score >= high);
    const weak = measured.filter((one) => one.detection.score < high);
    const shift = cameraShift(this.living, strong);
    if (shift !== null) for (const track of this.living) track.shift(shift);
    const frame = { capturedAtMs, glances: new Glances(look) };
    const { alone, spare } = this.match(this.living, strong, frame, PARAMETERS.matchLimit);
    const present = alone.filter((track) => track.state !== "lost");
    this.match(present, weak, frame, PARAMETERS.weakMatchLimit);

    for (const track of this.living) {
      if (track.observed || !isCovered(track, this.aspectRatio, observedRegions)) continue;
      if (!this.isHidden(track)) track.miss(capturedAtMs);
    }
    this.learnLooks(frame);
    this.habits.learnAgility(this.living);
    this.begin(spare, capturedAtMs);
    ended.push(...this.end(capturedAtMs));
    return {
      tracks: this.living.map((track) => track.snapshot(this.aspectRatio)),
      ended: ended.map((track) => track.snapshot(this.aspectRatio)),
    };
  }

  private match(
    tracks: readonly LivingTrack[],
    detections: readonly Measurement[],
    { capturedAtMs, glances }: Frame,
    limit: number,
  ): { alone: LivingTrack[]; spare: Measurement[] } {
    const picks = associate(tracks, detections, limit, glances);
    const taken = new Set<number>(picks);
    tracks.forEach((track, i) => {
      const detection = detections[picks[i]!];
      if (detection === undefined) return;
      track.correct(detection, capturedAtMs, this.habits.typicalScore);
      this.matched.set(track, detection);
    });
    return {
      alone: tracks.filter((_, i) => picks[i] === -1),
      spare: detections.filter((_, i) => !taken.has(i)),
    };
  }

  /** Takes a look at who stands free and was not looked at lately: where boxes overlap it would show the wrong one. */
  private learnLooks({ capturedAtMs, glances }: Frame): void {
    if (!glances.possible) return;
    for (const [track, measured] of this.matched) {
      if (!track.isLookDue(capturedAtMs)) continue;
      const { box } = measured.detection;
      const isFree = [...this.matched.values()].every(
        (other) =>
          other === measured ||
          sharedArea(box, other.detection.box) <= PARAMETERS.appearanceOverlap * box.w * box.h,
      );
      const seen = isFree ? glances.of(measured) : null;
      if (seen !== null) track.learnLook(seen, capturedAtMs);
    }
  }

  /** Starts a track for every confident detection that is nobody's, unless it doubles one that is somebody's. */
  private begin(spare: readonly Measurement[], capturedAtMs: number): void {
    const seen = this.living.filter((track) => track.observed);
    const boxes = seen.map((track) => ({ objectClass: track.objectClass, box: track.box(this.aspectRatio) }));
    for (const measured of spare) {
      const { objectClass, box } = measured.detection;
      const doubled = boxes.some(
        (other) => sameGroup(other.objectClass, objectClass) && iou(other.box, box) > PARAMETERS.duplicateIou,
      );
      if (doubled) continue;
      this.living.push(new LivingTrack(this.nextId++, measured, capturedAtMs, this.habits));
      boxes.push({ objectClass, box });
    }
  }

  /** Takes out the tracks whose time is over; returns those that had been believed. */
  private end(capturedAtMs: number): LivingTrack[] {
    const over = this.living.filter((track) => isOver(track, capturedAtMs, this.aspectRatio));
    return this.remove(over);
  }

  /** A clock that was set back ends everything, a gap in the pictures what may have gone meanwhile. */
  private endByClock(elapsedMs: number): LivingTrack[] {
    if (elapsedMs < 0 || elapsedMs > PARAMETERS.stationaryGapMs) return this.remove(this.living);
    if (elapsedMs <= PARAMETERS.gapMs) return [];
    return this.remove(this.living.filter((track) => track.stationarySinceMs === null));
  }

  /** Does something that is seen stand before what stood still there? Then nobody can say that it has gone. */
  private isHidden(track: LivingTrack): boolean {
    if (track.stationarySinceMs === null) return false;
    const box = track.box(this.aspectRatio);
    return this.living.some(
      (other) =>
        other.observed &&
        sharedArea(box, other.box(this.aspectRatio)) > PARAMETERS.hiddenShare * box.w * box.h,
    );
  }

  private remove(over: readonly LivingTrack[]): LivingTrack[] {
    const gone = new Set(over);
    this.living = this.living.filter((track) => !gone.has(track));
    return over.filter((track) => track.state !== "tentative");
  }

  /** A frame that came late changes nothing. */
  private unchanged(): TrackerUpdate {
    const tracks = this.living.map((track): Track => ({
      ...track.snapshot(this.aspectRatio),
      observed: false,
    }));
    return { tracks, ended: [] };
  }
}

/** The detections in an order of their own, so that the order in which they came has no influence. */
function ordered(detections: readonly Detection[], aspectRatio: number): Measurement[] {
  return detections
    .filter(({ score, box }) => score >= PARAMETERS.lowScore && box.w > 0 && box.h > 0)
    .map((detection) => measure(detection, aspectRatio))
    .sort(
      (a, b) =>
        b.detection.score - a.detection.score ||
        a.cx - b.cx ||
        a.cy - b.cy ||
        a.w - b.w ||
        a.h - b.h ||
        a.detection.objectClass.localeCompare(b.detection.objectClass),
    );
}

function isCovered(
  track: LivingTrack,
  aspectRatio: number,
  regions: readonly InspectedRegion[] | undefined,
): boolean {
  if (regions === undefined) return true;
  const box = track.box(aspectRatio);
  return regions.some((region) => {
    if (Math.max(track.w, track.h) < (region.leastSide ?? 0)) return false;
    return sharedArea(box, region) >= COVERED * box.w * box.h;
  });
}

function sharedArea(a: Box, b: Box): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0;
}

function isOver(track: LivingTrack, capturedAtMs: number, aspectRatio: number): boolean {
  const still = track.stationarySinceMs !== null;
  const unobservedMs = still ? PARAMETERS.stationaryUnobservedMs : PARAMETERS.unobservedMs;
  if (capturedAtMs - track.lastInspectedMs > unobservedMs) return true;
  if (track.missedSinceMs === null) return false;
  const unseenMs = capturedAtMs - track.lastSeenMs;
  if (track.state === "tentative") return unseenMs >= PARAMETERS.tentativeMs;
  if (isOutside(track, aspectRatio)) return true;
  if (track.misses < 2) return false;
  return capturedAtMs - track.missedSinceMs >= patienceMs(track);
}

/** How long a confirmed track is looked for in vain. */
export function patienceMs({
  stationarySinceMs,
  lastSeenMs,
}: Pick<LivingTrack, "stationarySinceMs" | "lastSeenMs">): number {
  if (stationarySinceMs === null) return PARAMETERS.lostMs;
  const { stationaryLostLeastMs, stationaryLostMostMs } = PARAMETERS;
  return Math.min(Math.max(lastSeenMs - stationarySinceMs, stationaryLostLeastMs), stationaryLostMostMs);
}

/** Has the expected centre left the picture? */
function isOutside(track: LivingTrack, aspectRatio: number): boolean {
  const { position: x } = track.cx;
  const { position: y } = track.cy;
  return x < 0 || x > aspectRatio || y < 0 || y > 1;
}
