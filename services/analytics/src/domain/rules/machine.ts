import type { Rule } from "@huishi/contracts";
import type { Track } from "../tracker/track.ts";
import type { RuleEvidence, RuleOutcome } from "./outcome.ts";
import type { SceneFacts } from "./scene-facts.ts";

/** The running state of one rule. */
export interface RuleMachine {
  /** Takes the camera's living tracks at a capture time that never goes back. */
  update(tracks: readonly Track[], capturedAtMs: number, facts: SceneFacts): RuleOutcome[];
  /** The clock was set, or pictures were missing for long: time that passed unseen does not count. */
  rebase(capturedAtMs: number): void;
  /** The rule is switched off by its schedule: everything ends now. */
  disarm(capturedAtMs: number): RuleOutcome[];
}

/** Is the rule about objects like this one? Tentative tracks are not objects yet. */
export function concerns(rule: Rule, track: Track): boolean {
  return (
    track.state !== "tentative" &&
    rule.classes.includes(track.objectClass) &&
    track.scoreMean >= rule.minScore
  );
}

/** The evidence that a track gives. */
export function evidenceOf(
  rule: Rule,
  track: Track,
  startedAtMs: number,
  capturedAtMs: number,
): RuleEvidence {
  return {
    ruleId: rule.id,
    capturedAtMs,
    trackIds: [track.id],
    objectClass: track.objectClass,
    box: track.box,
    score: track.scoreMean,
    startedAtMs,
  };
}
