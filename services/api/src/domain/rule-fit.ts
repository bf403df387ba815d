import type { Rule, RuleKind, Schedule, Zone, ZoneKind } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";

/** Which kind of zone each kind of rule stands on. */
const ZONE_OF_RULE: Readonly<Record<RuleKind, ZoneKind>> = {
  intrusion: "polygon",
  dwell: "polygon",
  count_over: "polygon",
  loitering: "polygon",
  wrong_way: "polygon",
  congestion: "polygon",
  density_over: "polygon",
  speed_over: "polygon",
  abandoned_object: "polygon",
  object_removed: "polygon",
  line_crossing: "line",
};

/** What a person decides about a rule: everything but ids and version. */
export type RuleSettings = Omit<Rule, "id" | "cameraId" | "zoneId" | "version">;

/**
 * Does the rule fit its zone, and can its schedule ever be armed?
 *
 * @throws HuishiError RULE_ZONE_OTHER_CAMERA, RULE_ZONE_KIND, RULE_SCHEDULE_EMPTY or RULE_TIME_ZONE
 */
export function checkRule(settings: RuleSettings, cameraId: string, zone: Zone): void {
  if (zone.cameraId !== cameraId) {
    throw new HuishiError(
      "RULE_ZONE_OTHER_CAMERA",
      "The zone belongs to another camera; choose one of this camera.",
      {
        details: { field: "zoneId", zoneCameraId: zone.cameraId },
      },
    );
  }
  const needed = ZONE_OF_RULE[settings.kind];
  if (zone.kind !== needed) {
    throw new HuishiError(
      "RULE_ZONE_KIND",
      `A rule of kind ${settings.kind} needs a ${needed}; choose or draw one.`,
      {
        details: { field: "zoneId", ruleKind: settings.kind, zoneKind: zone.kind, needed },
      },
    );
  }
  if (settings.schedule !== null) checkSchedule(settings.schedule);
}

function checkSchedule(schedule: Schedule): void {
  if (schedule.fromMinute === schedule.toMinute) {
    throw new HuishiError(
      "RULE_SCHEDULE_EMPTY",
      "The schedule begins and ends in the same minute; give it a length.",
      {
        details: { field: "schedule" },
      },
    );
  }
  try {
    Intl.DateTimeFormat("en", { timeZone: schedule.timeZone });
  } catch (cause) {
    throw new HuishiError(
      "RULE_TIME_ZONE",
      "The time zone is unknown; use an IANA name such as Asia/Shanghai.",
      {
        cause,
        details: { field: "schedule.timeZone" },
      },
    );
  }
}
