import type { Rule } from "@huishi/contracts";
import type { Point } from "@huishi/kernel";
import type { StaticRegion } from "../background/static-region.ts";
import type { Track } from "../tracker/track.ts";
import { AlarmLatch } from "./alarm-latch.ts";
import type { RuleMachine } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import type { SceneFacts } from "./scene-facts.ts";
import { ZoneTest } from "./zone-test.ts";

/** A region belongs to the polygon from this share of its box on: it has no foot point to be trusted. */
const SHARE_IN_ZONE = 0.5;

interface Watched {
  lastMs: number;
  triggered: boolean;
}

/**
 * `abandoned_object` and `object_removed`: a static region of the right kind lies in the polygon for `persistenceMs`. A
 * region that is not reported for `exitMs` is gone. Frames whose pictures were not looked at tell nothing.
 */
export class RegionMachine implements RuleMachine {
  private readonly rule: Rule;
  private readonly wanted: StaticRegion["kind"];
  private readonly zone: ZoneTest;
  private readonly latch: AlarmLatch;
  private readonly watched = new Map<number, Watched>();
  private armedSinceMs: number | null = null;
  private active = false;

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.rule = rule;
    this.wanted = rule.kind === "abandoned_object" ? "appeared" : "vanished";
    this.zone = new ZoneTest(rule, polygon);
    this.latch = new AlarmLatch(rule);
  }

  update(_tracks: readonly Track[], capturedAtMs: number, facts: SceneFacts): RuleOutcome[] {
    if (facts.staticRegions === null) return [];
    this.armedSinceMs = facts.mayRaise ? (this.armedSinceMs ?? capturedAtMs) : null;
    const outcomes: RuleOutcome[] = [];
    for (const region of facts.staticRegions) {
      if (this.armedSinceMs === null || !this.isOurs(region)) continue;
      const startedAtMs = Math.max(region.sinceMs, this.armedSinceMs);
      const outcome = this.look(region, startedAtMs, capturedAtMs);
      if (outcome !== null) outcomes.push(outcome);
    }
    for (const [id, { lastMs }] of this.watched) {
      if (lastMs < capturedAtMs && capturedAtMs - lastMs >= this.rule.exitMs) this.watched.delete(id);
    }
    if (this.active && ![...this.watched.values()].some(({ triggered }) => triggered))
      outcomes.push(this.clear(capturedAtMs));
    return outcomes;
  }

  rebase(capturedAtMs: number): void {
    this.armedSinceMs = capturedAtMs;
    for (const one of this.watched.values()) one.lastMs = capturedAtMs;
    this.latch.rebase(capturedAtMs);
  }

  disarm(capturedAtMs: number): RuleOutcome[] {
    this.armedSinceMs = null;
    this.watched.clear();
    return this.active ? [this.clear(capturedAtMs)] : [];
  }

  private isOurs({ kind, score, box }: StaticRegion): boolean {
    return kind === this.wanted && score >= this.rule.minScore && this.zone.holdsShare(box, SHARE_IN_ZONE);
  }

  private look(region: StaticRegion, startedAtMs: number, capturedAtMs: number): RuleOutcome | null {
    const known = this.watched.get(region.id) ?? { lastMs: capturedAtMs, triggered: false };
    known.lastMs = capturedAtMs;
    this.watched.set(region.id, known);
    if (known.triggered) {
      this.latch.hold(capturedAtMs);
      return null;
    }
    if (capturedAtMs - startedAtMs < this.rule.persistenceMs) return null;
    known.triggered = true;
    const evidence = {
      ruleId: this.rule.id,
      capturedAtMs,
      trackIds: [],
      objectClass: this.rule.classes[0]!,
      box: region.box,
      score: region.score,
      startedAtMs,
      regionId: region.id,
    };
    const outcome = this.latch.occur(evidence, this.active);
    this.active = true;
    return outcome;
  }

  private clear(capturedAtMs: number): RuleOutcome {
    this.active = false;
    return { type: "cleared", ruleId: this.rule.id, capturedAtMs, occurrences: this.latch.count };
  }
}
