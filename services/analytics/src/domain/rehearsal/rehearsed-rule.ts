import type { RehearsalSubject, Rule, Zone } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { RuleEngine, type Surroundings } from "../rules/rule-engine.ts";
import type { RuleHindrance } from "../rules/rule-machines.ts";
import type { PictureFacts } from "../rules/scene-facts.ts";
import { intlClock } from "../rules/schedule.ts";
import type { Track } from "../tracker/track.ts";
import { AlarmLog, type LoggedAlarm } from "./alarm-log.ts";

const ZONE_ID = "rehearsed-zone";
const RULE_ID = "rehearsed-rule";

const HINDRANCES: Readonly<Record<RuleHindrance, string>> = {
  zone_kind: "its kind needs the other kind of zone",
  needs_ground_plane: "it needs the camera's ground plane; give the camera four points of its ground first",
  zone_beyond_ground: "its polygon reaches beyond the ground that the camera's four points describe",
  setting_missing: "a setting that its kind needs is not set",
};

/** One rule over one row of frames. A rule that is switched off is rehearsed as if it were on. */
export class RehearsedRule {
  private readonly engine: RuleEngine;
  private readonly log: AlarmLog;
  private lastMs = 0;

  /** @throws HuishiError REHEARSAL_RULE_IDLE when the rule cannot say anything as it is */
  constructor(subject: RehearsalSubject, cameraId: string, surroundings: Surroundings = {}) {
    const { rule, zone } = ruleOf(subject, cameraId);
    this.engine = new RuleEngine([rule], [zone], intlClock(), surroundings);
    const [idle] = this.engine.idle;
    if (idle) {
      throw new HuishiError(
        "REHEARSAL_RULE_IDLE",
        `The rule cannot raise anything: ${HINDRANCES[idle.hindrance]}.`,
      );
    }
    this.log = new AlarmLog(rule.kind === "line_crossing");
  }

  update(tracks: readonly Track[], capturedAtMs: number, picture: PictureFacts): void {
    this.log.take(this.engine.update(tracks, capturedAtMs, picture));
    this.lastMs = capturedAtMs;
  }

  get raised(): number {
    return this.log.raised;
  }

  finish(): LoggedAlarm[] {
    return this.log.finish(this.lastMs);
  }
}

/** The rule and the zone as the engine takes them, whether they are saved or not. */
export function ruleOf(subject: RehearsalSubject, cameraId: string): { rule: Rule; zone: Zone } {
  const zone: Zone = { id: ZONE_ID, cameraId, name: "rehearsed", version: 1, ...subject.zone };
  const rule: Rule = { ...subject.rule, id: RULE_ID, cameraId, zoneId: ZONE_ID, version: 1, enabled: true };
  return { rule, zone };
}
