import type { Rule } from "@huishi/contracts";
import { type Box, type Point, footPoint, isInsidePolygon } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import { AlarmLatch } from "./alarm-latch.ts";
import { type RuleMachine, concerns, evidenceOf } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";

/**
 * `count_over`: more than `threshold` objects in the polygon for `persistenceMs`. A dip of less than `exitMs`
 * does not interrupt it; somebody who is hidden for a moment still counts where he is presumed to be.
 */
export class CountMachine implements RuleMachine {
  private readonly rule: Rule;
  private readonly polygon: readonly Point[];
  private readonly latch: AlarmLatch;
  private sinceMs: number | null = null;
  private lastOverMs = 0;
  private active = false;

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.rule = rule;
    this.polygon = polygon;
    this.latch = new AlarmLatch(rule);
  }

  update(tracks: readonly Track[], capturedAtMs: number): RuleOutcome[] {
    const inside = tracks.filter(
      (track) => concerns(this.rule, track) && isInsidePolygon(footPoint(track.box), this.polygon),
    );
    if (inside.length > this.rule.threshold) return this.over(inside, capturedAtMs);
    if (this.sinceMs === null || capturedAtMs - this.lastOverMs < this.rule.exitMs) return [];
    return this.disarm(capturedAtMs);
  }

  rebase(capturedAtMs: number): void {
    if (this.sinceMs !== null) this.sinceMs = capturedAtMs;
    this.lastOverMs = capturedAtMs;
    this.latch.rebase(capturedAtMs);
  }

  disarm(capturedAtMs: number): RuleOutcome[] {
    this.sinceMs = null;
    if (!this.active) return [];
    this.active = false;
    return [{ type: "cleared", ruleId: this.rule.id, capturedAtMs, occurrences: this.latch.count }];
  }

  private over(inside: readonly Track[], capturedAtMs: number): RuleOutcome[] {
    this.sinceMs ??= capturedAtMs;
    this.lastOverMs = capturedAtMs;
    if (this.active) {
      this.latch.hold(capturedAtMs);
      return [];
    }
    if (capturedAtMs - this.sinceMs < this.rule.persistenceMs) return [];
    this.active = true;
    const first = inside.reduce((best, track) => (track.scoreMean > best.scoreMean ? track : best));
    const others = inside.filter((track) => track !== first).map((track) => track.id);
    const evidence = {
      ...evidenceOf(this.rule, first, this.sinceMs, capturedAtMs),
      trackIds: [first.id, ...others],
      box: around(inside.map((track) => track.box)),
    };
    return [this.latch.occur(evidence, false)];
  }
}

function around(boxes: readonly Box[]): Box {
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  return {
    x,
    y,
    w: Math.max(...boxes.map((box) => box.x + box.w)) - x,
    h: Math.max(...boxes.map((box) => box.y + box.h)) - y,
  };
}
