import type { Rule } from "@huishi/contracts";
import type { RaisedOutcome, RepeatedOutcome, RuleEvidence } from "./outcome.ts";

/** Decides for one rule whether what happened is a new alarm or one more occurrence of the last one. */
export class AlarmLatch {
  private readonly dedupeMs: number;
  private occurrences = 0;
  /** Last moment at which the condition held; null before the first alarm. */
  private lastHeldMs: number | null = null;

  constructor(rule: Rule) {
    this.dedupeMs = rule.dedupeMs;
  }

  get count(): number {
    return this.occurrences;
  }

  /** Something happened. @param ongoing the rule's condition held already, through somebody else */
  occur(evidence: RuleEvidence, ongoing: boolean): RaisedOutcome | RepeatedOutcome {
    const sinceMs = this.lastHeldMs === null ? Infinity : evidence.capturedAtMs - this.lastHeldMs;
    this.lastHeldMs = evidence.capturedAtMs;
    if (this.occurrences > 0 && (ongoing || sinceMs <= this.dedupeMs)) {
      this.occurrences++;
      return { type: "repeated", occurrence: this.occurrences, ...evidence };
    }
    this.occurrences = 1;
    return { type: "raised", ...evidence };
  }

  /** The condition goes on. */
  hold(capturedAtMs: number): void {
    this.lastHeldMs = capturedAtMs;
  }

  /** The camera's clock was set: the window for occurrences begins anew. */
  rebase(capturedAtMs: number): void {
    if (this.lastHeldMs !== null) this.lastHeldMs = capturedAtMs;
  }
}
