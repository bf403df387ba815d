import type { Rule } from "@huishi/contracts";
import type { Point } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import { CoverageGrid } from "./coverage-grid.ts";
import type { Level, LevelReader } from "./level-machine.ts";
import { concerns } from "./machine.ts";
import { fittedMovement, MotionTrails } from "./motion-trail.ts";
import type { SceneFacts } from "./scene-facts.ts";
import { ZoneTest } from "./zone-test.ts";

/** A share or density that falls by less than this part of the limit is still "between". */
const HYSTERESIS = 0.1;
/** Slower than this many of its own sizes a second, something stands or crawls (a car of 4.5 m: 5 km/h). */
const CRAWL = 0.3;

/** More than `limit` objects in the polygon; somebody hidden for a moment counts where he is presumed to be. */
export class CountReader implements LevelReader {
  private readonly rule: Rule;
  private readonly zone: ZoneTest;
  private readonly limit: number;

  constructor(rule: Rule, polygon: readonly Point[], limit: number) {
    this.rule = rule;
    this.zone = new ZoneTest(rule, polygon);
    this.limit = limit;
  }

  read(tracks: readonly Track[]): Level {
    const deciding = tracks.filter((track) => concerns(this.rule, track) && this.zone.holds(track.box));
    return { state: deciding.length > this.limit ? "over" : "under", deciding };
  }
}

/** More than `densityPerM2` objects a square metre of the polygon's ground. */
export class DensityReader implements LevelReader {
  private readonly rule: Rule;
  private readonly zone: ZoneTest;
  private readonly limit: number;

  /** @param areaM2 of the polygon on the ground */
  constructor(rule: Rule, polygon: readonly Point[], areaM2: number) {
    this.rule = rule;
    this.zone = new ZoneTest(rule, polygon);
    this.limit = (rule.densityPerM2 ?? Infinity) * areaM2;
  }

  read(tracks: readonly Track[]): Level {
    const deciding = tracks.filter((track) => concerns(this.rule, track) && this.zone.holds(track.box));
    const count = deciding.length;
    const state = count > this.limit ? "over" : count > this.limit * (1 - HYSTERESIS) ? "between" : "under";
    return { state, deciding };
  }
}

/**
 * `congestion`: the parts of the boxes that stand on the ground cover at least `occupancyShare` of the polygon. Only
 * what crawls or stands covers it: a road full of moving cars is no congestion.
 */
export class CongestionReader implements LevelReader {
  private readonly rule: Rule;
  private readonly grid: CoverageGrid;
  private readonly limit: number;
  private readonly trails = new MotionTrails();

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.rule = rule;
    this.grid = new CoverageGrid(polygon);
    this.limit = rule.occupancyShare ?? Infinity;
  }

  read(tracks: readonly Track[], capturedAtMs: number, { aspectRatio }: SceneFacts): Level {
    const concerned = tracks.filter((track) => concerns(this.rule, track));
    this.trails.update(concerned, capturedAtMs, ({ box }) => ({
      x: (box.x + box.w / 2) * aspectRatio,
      y: box.y + box.h / 2,
    }));
    this.grid.clear();
    const deciding = concerned.filter(
      (track) => this.isSlow(track, aspectRatio) && this.grid.cover(track.box, track.objectClass),
    );
    const share = this.grid.coveredShare();
    const state = share >= this.limit ? "over" : share >= this.limit * (1 - HYSTERESIS) ? "between" : "under";
    return { state, deciding };
  }

  forget(): void {
    this.trails.clear();
  }

  private isSlow(track: Track, aspectRatio: number): boolean {
    if (track.stationarySinceMs !== null) return true;
    const trail = this.trails.of(track.id);
    if (trail === null || track.state === "lost") return false;
    const { vx, vy } = fittedMovement(trail);
    const size = Math.sqrt(track.box.w * aspectRatio * track.box.h);
    return Math.hypot(vx, vy) <= CRAWL * size;
  }
}
