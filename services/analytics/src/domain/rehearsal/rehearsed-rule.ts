import type { RehearsalSubject, Rule, Zone } from "@huishi/contracts";
import { RuleEngine } from "../rules/rule-engine.ts";
import type { Track } from "../tracker/track.ts";
import { AlarmLog, type LoggedAlarm } from "./alarm-log.ts";

const ZONE_ID = "rehearsed-zone";
const RULE_ID = "rehearsed-rule";

/** One rule over one row of frames. A rule that is switched off is rehearsed as if it were on. */
export class RehearsedRule {
  private readonly engine: RuleEngine;
  private readonly log: AlarmLog;
  private lastMs = 0;

  constructor(subject: RehearsalSubject, cameraId: string) {
    const { rule, zone } = ruleOf(subject, cameraId);
    this.engine = new RuleEngine([rule], [zone]);
    this.log = new AlarmLog(rule.kind === "line_crossing");
  }

  update(tracks: readonly Track[], capturedAtMs: number): void {
    this.log.take(this.engine.update(tracks, capturedAtMs));
    this.lastMs = capturedAtMs;
  }

  get raised(): number {
    return this.log.raised;
  }

  finish(): LoggedAlarm[] {
    return this.log.finish(this.lastMs);
  }
}

function ruleOf(subject: RehearsalSubject, cameraId: string): { rule: Rule; zone: Zone } {
  const zone: Zone = { id: ZONE_ID, cameraId, name: "rehearsed", version: 1, ...subject.zone };
  const rule: Rule = { ...subject.rule, id: RULE_ID, cameraId, zoneId: ZONE_ID, version: 1, enabled: true };
  return { rule, zone };
}
