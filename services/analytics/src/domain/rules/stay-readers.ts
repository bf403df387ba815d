import type { Rule } from "@huishi/contracts";
import { footPoint, type GroundPlane, type Box, type Point } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import { fittedMovement, MotionTrails, robustMovement, type TrailPoint } from "./motion-trail.ts";
import type { SceneFacts } from "./scene-facts.ts";
import type { StayReader } from "./stay-machine.ts";
import type { Presence, Reading } from "./zone-presence.ts";
import { ZoneTest } from "./zone-test.ts";

/** `intrusion`: the object is in the polygon. */
export class InsideReader implements StayReader {
  private readonly zone: ZoneTest;

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.zone = new ZoneTest(rule, polygon);
  }

  read(track: Track, capturedAtMs: number): Reading {
    if (track.state === "lost" || (!track.observed && track.stationarySinceMs === null)) return null;
    return this.zone.holds(track.box) ? { sinceMs: capturedAtMs } : "outside";
  }
}

/** `dwell`: the object stands still in the polygon. */
export class StandingReader implements StayReader {
  private readonly zone: ZoneTest;

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.zone = new ZoneTest(rule, polygon);
  }

  read(track: Track, _capturedAtMs: number, armedSinceMs: number): Reading {
    const { stationarySinceMs } = track;
    if (track.state === "lost" || (!track.observed && stationarySinceMs === null)) return null;
    if (stationarySinceMs === null || !this.zone.holds(track.box)) return "outside";
    return { sinceMs: Math.max(stationarySinceMs, armedSinceMs) };
  }
}

/** A movement counts from this many of the object's own sizes: what trembles in its place goes nowhere. */
const LEAST_WAY = 0.75;
/** Against the heading: not further than 60 degrees from the opposite direction. */
const AGAINST = -0.5;
/** Share of the single steps that must go against it as well. */
const STEADY = 0.75;

/**
 * `wrong_way`: the object moves through the polygon against `headingDeg`. Its way over more than a second decides, by a
 * fitted line and in sizes of the object, not the velocity of a moment.
 */
export class WrongWayReader implements StayReader {
  private readonly zone: ZoneTest;
  private readonly heading: Point;
  private readonly trails = new MotionTrails();
  private aspectRatio = 1;

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.zone = new ZoneTest(rule, polygon);
    const radians = ((rule.headingDeg ?? 0) * Math.PI) / 180;
    this.heading = { x: Math.sin(radians), y: -Math.cos(radians) };
  }

  look(concerned: readonly Track[], capturedAtMs: number, { aspectRatio }: SceneFacts): void {
    this.aspectRatio = aspectRatio;
    this.trails.update(concerned, capturedAtMs, ({ box }) => ({
      x: (box.x + box.w / 2) * aspectRatio,
      y: box.y + box.h / 2,
    }));
  }

  read(track: Track, capturedAtMs: number): Reading {
    if (!track.observed) return null;
    if (!this.zone.holds(track.box)) return "outside";
    const trail = this.trails.of(track.id);
    if (trail === null) return null;
    const { vx, vy, seconds } = fittedMovement(trail);
    const way = Math.hypot(vx, vy) * seconds;
    const size = Math.sqrt(track.box.w * this.aspectRatio * track.box.h);
    if (way < LEAST_WAY * size) return "outside";
    const cosine = (vx * this.heading.x + vy * this.heading.y) / Math.hypot(vx, vy);
    return cosine <= AGAINST && this.isSteady(trail) ? { sinceMs: capturedAtMs } : "outside";
  }

  /** One jump, as of a track that ran on unseen and was found again behind, is no way that somebody went. */
  private isSteady(trail: readonly TrailPoint[]): boolean {
    let against = 0;
    for (let k = 1; k < trail.length; k++) {
      const dx = trail[k]!.x - trail[k - 1]!.x;
      const dy = trail[k]!.y - trail[k - 1]!.y;
      if (dx * this.heading.x + dy * this.heading.y < 0) against++;
    }
    return against >= STEADY * (trail.length - 1);
  }

  forget(): void {
    this.trails.clear();
  }
}

/** So far from the picture's edge a box is not cut by it. */
const EDGE = 0.005;
/** A foot point is exact to this share of the box's height. */
const FOOT_ERROR = 0.05;
/** Faster than this, a box has jumped: no vehicle on a city's street is. */
const TOP_KMH = 350;

/**
 * `speed_over`: the object in the polygon is faster than `speedKmh` on the ground, also when its foot point is as wrong
 * as it may be. Sights that the picture's edge cuts are left out: their foot point is not the object's.
 */
export class SpeedReader implements StayReader {
  private readonly zone: ZoneTest;
  private readonly plane: GroundPlane;
  private readonly limitKmh: number;
  private readonly trails = new MotionTrails();

  constructor(rule: Rule, polygon: readonly Point[], plane: GroundPlane) {
    this.zone = new ZoneTest(rule, polygon);
    this.plane = plane;
    this.limitKmh = rule.speedKmh ?? Infinity;
  }

  look(concerned: readonly Track[], capturedAtMs: number): void {
    this.trails.update(concerned, capturedAtMs, ({ box }) =>
      isCut(box) ? null : this.plane.toGround(footPoint(box)),
    );
  }

  read(track: Track, capturedAtMs: number): Reading {
    if (!track.observed) return null;
    if (!this.zone.holds(track.box)) return "outside";
    const speed = this.leastKmh(track);
    if (speed === null) return null;
    return speed > this.limitKmh && speed < TOP_KMH ? { sinceMs: capturedAtMs } : "outside";
  }

  forget(): void {
    this.trails.clear();
  }

  /** The speed less what the foot point's error may have added; null when it cannot be told. */
  private leastKmh({ id, box }: Track): number | null {
    const trail = this.trails.of(id);
    const movement = trail === null ? null : robustMovement(trail);
    if (movement === null) return null;
    const foot = footPoint(box);
    const here = this.plane.toGround(foot);
    const wrong = this.plane.toGround({ x: foot.x, y: foot.y + FOOT_ERROR * box.h });
    if (here === null || wrong === null) return null;
    const errorM = Math.hypot(here.x - wrong.x, here.y - wrong.y);
    return 3.6 * (Math.hypot(movement.vx, movement.vy) - errorM / movement.seconds);
  }
}

function isCut({ x, y, w, h }: Box): boolean {
  return x < EDGE || y < EDGE || x + w > 1 - EDGE || y + h > 1 - EDGE;
}

/** A person walks less than this many of its heights a second, and is not looked for further off than that many. */
const REACH_PER_SECOND = 1.5;
const REACH_AT_ONCE = 0.5;
const LONGEST_REACH = 3;
const MOST_GROWTH = 1.4;

/**
 * Loitering: a track that is cut and found again under another id is the same object when it begins after the other one
 * vanished within the zone, about as tall, and no further off than it could have walked. Who left the picture is gone.
 */
export function foundAgain(stay: Presence, track: Track, capturedAtMs: number): boolean {
  if (stay.outside || isCut(stay.box) || track.firstSeenMs < stay.lastMs) return false;
  const growth = track.box.h / stay.box.h;
  if (growth > MOST_GROWTH || growth < 1 / MOST_GROWTH) return false;
  const a = footPoint(stay.box);
  const b = footPoint(track.box);
  const seconds = (capturedAtMs - stay.lastMs) / 1000;
  const reach = Math.min(LONGEST_REACH, REACH_AT_ONCE + REACH_PER_SECOND * seconds) * stay.box.h;
  return Math.hypot(a.x - b.x, a.y - b.y) <= reach;
}
