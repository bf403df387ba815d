import type { Rule } from "@huishi/contracts";
import { type Point, footPoint, isInsidePolygon } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import { AlarmLatch } from "./alarm-latch.ts";
import { type RuleMachine, concerns, evidenceOf } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import { type Reading, ZonePresence } from "./zone-presence.ts";

/**
 * `intrusion` and `dwell`: an object's foot point is in the polygon (and, for dwell, the object stands still)
 * for `persistenceMs`. Each object gives one occurrence; the condition is over when the last one has been gone
 * for `exitMs`.
 */
export class StayMachine implements RuleMachine {
  private readonly rule: Rule;
  private readonly polygon: readonly Point[];
  private readonly latch: AlarmLatch;
  private readonly presence: ZonePresence;
  /** Nothing from before this moment counts. */
  private armedSinceMs: number | null = null;
  private active = false;

  constructor(rule: Rule, polygon: readonly Point[]) {
    this.rule = rule;
    this.polygon = polygon;
    this.latch = new AlarmLatch(rule);
    this.presence = new ZonePresence(rule.exitMs);
  }

  update(tracks: readonly Track[], capturedAtMs: number): RuleOutcome[] {
    this.armedSinceMs ??= capturedAtMs;
    const outcomes: RuleOutcome[] = [];
    const concerned = tracks.filter((track) => concerns(this.rule, track));
    const stays = this.presence.update(concerned, (track) => this.read(track, capturedAtMs), capturedAtMs);
    for (const stay of stays) {
      if (stay.triggered) this.latch.hold(capturedAtMs);
      if (stay.triggered || capturedAtMs - stay.sinceMs < this.rule.persistenceMs) continue;
      stay.triggered = true;
      const track = concerned.find((one) => one.id === stay.trackId)!;
      outcomes.push(this.latch.occur(evidenceOf(this.rule, track, stay.sinceMs, capturedAtMs), this.active));
      this.active = true;
    }
    if (this.active && !this.presence.all().some((stay) => stay.triggered))
      outcomes.push(this.clear(capturedAtMs));
    return outcomes;
  }

  rebase(capturedAtMs: number): void {
    this.armedSinceMs = capturedAtMs;
    this.presence.rebase(capturedAtMs);
    this.latch.rebase(capturedAtMs);
  }

  disarm(capturedAtMs: number): RuleOutcome[] {
    this.armedSinceMs = null;
    this.presence.clear();
    return this.active ? [this.clear(capturedAtMs)] : [];
  }

  private clear(capturedAtMs: number): RuleOutcome {
    this.active = false;
    return { type: "cleared", ruleId: this.rule.id, capturedAtMs, occurrences: this.latch.count };
  }

  private read(track: Track, capturedAtMs: number): Reading {
    const still = track.stationarySinceMs !== null;
    if (track.state === "lost" || (!track.observed && !still)) return null;
    if (!isInsidePolygon(footPoint(track.box), this.polygon)) return "outside";
    if (this.rule.kind === "intrusion") return { sinceMs: capturedAtMs };
    return still
      ? { sinceMs: Math.max(track.stationarySinceMs, this.armedSinceMs ?? capturedAtMs) }
      : "outside";
  }
}
