import type { Point } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";

export interface TrailPoint extends Point {
  readonly atMs: number;
}

/** A trail covers at least this long once it is long enough, and no fewer points: two do not tell a way from a tremble. */
const SPAN_MS = 1_500;
const LEAST_POINTS = 3;
/** Points that follow more closely than this add nothing but cost. */
const SPACING_MS = 100;
/** Older points than this belong to another movement. */
const LONGEST_MS = 10_000;

/** Where the objects of a camera were a moment ago. */
export class MotionTrails {
  private trails = new Map<number, TrailPoint[]>();

  /**
   * Takes one frame. @param place where the object is, in any plane; null where that cannot be told (cut by the
   * picture's edge, beyond the horizon): such a sight is left out.
   */
  update(tracks: readonly Track[], capturedAtMs: number, place: (track: Track) => Point | null): void {
    const living = new Map<number, TrailPoint[]>();
    for (const track of tracks) {
      const trail = this.trails.get(track.id) ?? [];
      living.set(track.id, trail);
      if (!track.observed) continue;
      const last = trail.at(-1);
      if (last !== undefined && capturedAtMs - last.atMs < SPACING_MS) continue;
      const at = place(track);
      if (at === null) continue;
      trail.push({ x: at.x, y: at.y, atMs: capturedAtMs });
      while (trail.length > LEAST_POINTS && capturedAtMs - trail[1]!.atMs >= SPAN_MS) trail.shift();
      while (trail.length > 0 && capturedAtMs - trail[0]!.atMs > LONGEST_MS) trail.shift();
    }
    this.trails = living;
  }

  /** The trail of a track, oldest point first; null while it is too short to tell a movement. */
  of(trackId: number): readonly TrailPoint[] | null {
    const trail = this.trails.get(trackId);
    if (trail === undefined || trail.length < LEAST_POINTS) return null;
    return trail;
  }

  clear(): void {
    this.trails.clear();
  }
}

/** A movement over a trail. */
export interface Movement {
  /** Per second, in the trail's unit. */
  readonly vx: number;
  readonly vy: number;
  /** From the first point to the last. */
  readonly seconds: number;
}

/** Least-squares line through the points over time: what trembles from frame to frame cancels out. */
export function fittedMovement(trail: readonly TrailPoint[]): Movement {
  const n = trail.length;
  const first = trail[0]!;
  let t = 0;
  let x = 0;
  let y = 0;
  for (const point of trail) {
    t += point.atMs - first.atMs;
    x += point.x;
    y += point.y;
  }
  t /= n;
  x /= n;
  y /= n;
  let tt = 0;
  let tx = 0;
  let ty = 0;
  for (const point of trail) {
    const dt = point.atMs - first.atMs - t;
    tt += dt * dt;
    tx += dt * (point.x - x);
    ty += dt * (point.y - y);
  }
  const seconds = (trail[n - 1]!.atMs - first.atMs) / 1000;
  return tt === 0 ? { vx: 0, vy: 0, seconds } : { vx: (1000 * tx) / tt, vy: (1000 * ty) / tt, seconds };
}

/** A step is an outlier from so many times the usual deviation from the median step, and from so much of its speed. */
const OUTLIER_DEVIATIONS = 4;
const OUTLIER_SHARE = 0.5;
/** Steps that must agree before a speed is told. */
const LEAST_STEPS = 3;

/**
 * The movement without its outlier steps: a step whose velocity is far from the median one (a box that jumped to
 * another object or was cut for a moment) is left out with its time. Null when too few steps agree.
 */
export function robustMovement(trail: readonly TrailPoint[]): Movement | null {
  const steps = trail.slice(1).map((point, i) => {
    const seconds = (point.atMs - trail[i]!.atMs) / 1000;
    const dx = point.x - trail[i]!.x;
    const dy = point.y - trail[i]!.y;
    return { seconds, dx, dy, vx: dx / seconds, vy: dy / seconds };
  });
  if (steps.length < LEAST_STEPS) return null;
  const mx = median(steps.map(({ vx }) => vx));
  const my = median(steps.map(({ vy }) => vy));
  const deviations = steps.map(({ vx, vy }) => Math.hypot(vx - mx, vy - my));
  const limit = Math.max(OUTLIER_DEVIATIONS * median(deviations), OUTLIER_SHARE * Math.hypot(mx, my));
  const kept = steps.filter((_, i) => deviations[i]! <= limit);
  if (kept.length < LEAST_STEPS) return null;
  const seconds = kept.reduce((sum, step) => sum + step.seconds, 0);
  const sum = (of: "dx" | "dy"): number => kept.reduce((total, step) => total + step[of], 0);
  return { vx: sum("dx") / seconds, vy: sum("dy") / seconds, seconds };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
