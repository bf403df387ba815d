import type { Rule } from "@huishi/contracts";
import { type Point, footPoint } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import { AlarmLatch } from "./alarm-latch.ts";
import { distanceToLine, netCrossings } from "./line-geometry.ts";
import { type RuleMachine, concerns, evidenceOf } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import type { SceneFacts } from "./scene-facts.ts";

/** An object has crossed once its foot point is this far from the line, in heights of its box. */
const CLEARANCE = 0.05;

interface Walk {
  /** Foot point of the last frame in which the track was seen. */
  at: Point;
  /** Crossings left to right minus right to left that are not reported yet. */
  pending: number;
}

interface Crossing {
  readonly track: Track;
  /** Left to right minus right to left. */
  readonly net: number;
  readonly capturedAtMs: number;
  readonly mayRaise: boolean;
}

/**
 * `line_crossing`: the path of a track's foot point crosses the line. What trembles on the line is settled when
 * it has left it, by the net of its crossings. Every crossing is reported, those in the rule's direction as
 * alarms too.
 */
export class LineMachine implements RuleMachine {
  private readonly rule: Rule;
  private readonly line: readonly Point[];
  private readonly latch: AlarmLatch;
  private walks = new Map<number, Walk>();

  constructor(rule: Rule, line: readonly Point[]) {
    this.rule = rule;
    this.line = line;
    this.latch = new AlarmLatch(rule);
  }

  update(tracks: readonly Track[], capturedAtMs: number, { mayRaise }: SceneFacts): RuleOutcome[] {
    const outcomes: RuleOutcome[] = [];
    const living = new Map<number, Walk>();
    for (const track of tracks) {
      const walk = this.walks.get(track.id);
      if (!track.observed) {
        if (walk !== undefined) living.set(track.id, walk);
        continue;
      }
      const at = footPoint(track.box);
      const next = {
        at,
        pending: walk === undefined ? 0 : walk.pending + netCrossings(walk.at, at, this.line),
      };
      living.set(track.id, next);
      if (next.pending === 0 || !concerns(this.rule, track)) continue;
      if (distanceToLine(at, this.line) < CLEARANCE * track.box.h) continue;
      outcomes.push(...this.report({ track, net: next.pending, capturedAtMs, mayRaise }));
      next.pending = 0;
    }
    this.walks = living;
    return outcomes;
  }

  rebase(capturedAtMs: number): void {
    this.walks.clear();
    this.latch.rebase(capturedAtMs);
  }

  disarm(): RuleOutcome[] {
    this.walks.clear();
    return [];
  }

  /** Crossings are counted whatever the sensor says; it decides about alarms only. */
  private report({ track, net, capturedAtMs, mayRaise }: Crossing): RuleOutcome[] {
    const direction = net > 0 ? "left_to_right" : "right_to_left";
    const { rule } = this;
    const alarming = mayRaise && (rule.direction === "both" || rule.direction === direction);
    return Array.from({ length: Math.abs(net) }, (): RuleOutcome[] => {
      const crossed: RuleOutcome = {
        type: "crossed",
        ruleId: rule.id,
        capturedAtMs,
        trackId: track.id,
        objectClass: track.objectClass,
        direction,
      };
      if (!alarming) return [crossed];
      return [crossed, this.latch.occur(evidenceOf(rule, track, capturedAtMs, capturedAtMs), false)];
    }).flat();
  }
}
