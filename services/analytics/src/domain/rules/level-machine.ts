import type { Rule } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import { AlarmLatch } from "./alarm-latch.ts";
import { type RuleMachine, evidenceOf } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import type { SceneFacts } from "./scene-facts.ts";

/** How a frame stands to a rule's limit; `between`: below it, but not by enough to say that it is over. */
export interface Level {
  readonly state: "over" | "between" | "under";
  /** Who makes it so. */
  readonly deciding: readonly Track[];
}

export interface LevelReader {
  read(tracks: readonly Track[], capturedAtMs: number, facts: SceneFacts): Level;
  /** What was remembered of earlier frames is of no use any more. */
  forget?(): void;
}

/**
 * Rules about all objects together (`count_over`, `density_over`, `congestion`): a level is over a limit for
 * `persistenceMs`. A dip of less than `exitMs` does not interrupt it, nor one that stays between.
 */
export class LevelMachine implements RuleMachine {
  private readonly rule: Rule;
  private readonly reader: LevelReader;
  private readonly latch: AlarmLatch;
  private sinceMs: number | null = null;
  private lastOverMs = 0;
  private active = false;

  constructor(rule: Rule, reader: LevelReader) {
    this.rule = rule;
    this.reader = reader;
    this.latch = new AlarmLatch(rule);
  }

  update(tracks: readonly Track[], capturedAtMs: number, facts: SceneFacts): RuleOutcome[] {
    const { state, deciding } = this.reader.read(tracks, capturedAtMs, facts);
    if (facts.mayRaise && (state === "over" || (state === "between" && this.sinceMs !== null)))
      return this.over(deciding, capturedAtMs);
    if (this.sinceMs === null || capturedAtMs - this.lastOverMs < this.rule.exitMs) return [];
    return this.disarm(capturedAtMs);
  }

  rebase(capturedAtMs: number): void {
    if (this.sinceMs !== null) this.sinceMs = capturedAtMs;
    this.lastOverMs = capturedAtMs;
    this.latch.rebase(capturedAtMs);
    this.reader.forget?.();
  }

  disarm(capturedAtMs: number): RuleOutcome[] {
    this.sinceMs = null;
    if (!this.active) return [];
    this.active = false;
    return [{ type: "cleared", ruleId: this.rule.id, capturedAtMs, occurrences: this.latch.count }];
  }

  private over(deciding: readonly Track[], capturedAtMs: number): RuleOutcome[] {
    this.sinceMs ??= capturedAtMs;
    this.lastOverMs = capturedAtMs;
    if (this.active) {
      this.latch.hold(capturedAtMs);
      return [];
    }
    const [any] = deciding;
    if (any === undefined || capturedAtMs - this.sinceMs < this.rule.persistenceMs) return [];
    this.active = true;
    const first = deciding.reduce((best, track) => (track.scoreMean > best.scoreMean ? track : best), any);
    const others = deciding.filter((track) => track !== first).map((track) => track.id);
    const evidence = {
      ...evidenceOf(this.rule, first, this.sinceMs, capturedAtMs),
      trackIds: [first.id, ...others],
      box: around(deciding.map((track) => track.box)),
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
