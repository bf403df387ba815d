import type { Rule, Zone } from "@huishi/contracts";
import type { Track } from "../tracker/track.ts";
import type { RuleOutcome } from "./outcome.ts";

/** The rules of one camera, applied to its tracks on capture time. */
export declare class RuleEngine {
  constructor(rules: readonly Rule[], zones: readonly Zone[]);
  /** Takes a new rule set; rules that did not change (nor their zone) keep their state. */
  replace(rules: readonly Rule[], zones: readonly Zone[]): void;
  update(tracks: readonly Track[], capturedAtMs: number): RuleOutcome[];
}
