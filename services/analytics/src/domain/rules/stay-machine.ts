import type { Rule } from "@huishi/contracts";
import type { Track } from "../tracker/track.ts";
import { AlarmLatch } from "./alarm-latch.ts";
import { type RuleMachine, concerns, evidenceOf } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import type { SceneFacts } from "./scene-facts.ts";
import { type Presence, type Reading, ZonePresence } from "./zone-presence.ts";

/** What a rule asks of a single object, frame by frame. */
export interface StayReader {
  /** Looks at the whole frame before its objects are read one by one. */
  look?(concerned: readonly Track[], capturedAtMs: number, facts: SceneFacts): void;
  /** @param armedSinceMs nothing from before this moment counts */
  read(track: Track, capturedAtMs: number, armedSinceMs: number): Reading;
  /** What was remembered of earlier frames is of no use any more. */
  forget?(): void;
}

export interface StayOptions {
  readonly reader: StayReader;
  readonly presence?: ZonePresence;
  /** For how long a stay has held. Default: since it began. */
  readonly heldMs?: (stay: Presence, capturedAtMs: number) => number;
}

/**
 * Rules about single objects (`intrusion`, `dwell`, `loitering`, `wrong_way`, `speed_over`): the reader's condition holds
 * for one object for `persistenceMs`. Each object gives one occurrence; the condition is over when the last one has
 * been gone for `exitMs`.
 */
export class StayMachine implements RuleMachine {
  private readonly rule: Rule;
  private readonly reader: StayReader;
  private readonly latch: AlarmLatch;
  private readonly presence: ZonePresence;
  private readonly heldMs: (stay: Presence, capturedAtMs: number) => number;
  private armedSinceMs: number | null = null;
  private active = false;

  constructor(rule: Rule, options: StayOptions) {
    this.rule = rule;
    this.reader = options.reader;
    this.latch = new AlarmLatch(rule);
    this.presence = options.presence ?? new ZonePresence(rule.exitMs);
    this.heldMs = options.heldMs ?? ((stay, capturedAtMs) => capturedAtMs - stay.sinceMs);
  }

  update(tracks: readonly Track[], capturedAtMs: number, facts: SceneFacts): RuleOutcome[] {
    // Without its sensor's word the rule is as good as off: nothing from that time counts.
    this.armedSinceMs = facts.mayRaise ? (this.armedSinceMs ?? capturedAtMs) : null;
    const armedSinceMs = this.armedSinceMs ?? capturedAtMs;
    const outcomes: RuleOutcome[] = [];
    const concerned = tracks.filter((track) => concerns(this.rule, track));
    this.reader.look?.(concerned, capturedAtMs, facts);
    const stays = this.presence.update(
      concerned,
      (track) => (facts.mayRaise ? this.reader.read(track, capturedAtMs, armedSinceMs) : "outside"),
      capturedAtMs,
    );
    for (const stay of stays) {
      if (stay.triggered) this.latch.hold(capturedAtMs);
      if (stay.triggered || this.heldMs(stay, capturedAtMs) < this.rule.persistenceMs) continue;
      stay.triggered = true;
      const track = concerned.find((one) => one.id === stay.trackId)!;
      outcomes.push(this.latch.occur(evidenceOf(this.rule, track, stay.sinceMs, capturedAtMs), this.active));
      this.active = true;
    }
    if (this.active && !this.presence.hasTriggered()) outcomes.push(this.clear(capturedAtMs));
    return outcomes;
  }

  rebase(capturedAtMs: number): void {
    this.armedSinceMs = capturedAtMs;
    this.presence.rebase(capturedAtMs);
    this.latch.rebase(capturedAtMs);
    this.reader.forget?.();
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
}
