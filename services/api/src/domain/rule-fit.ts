import type { Rule, RuleKind, Schedule, Zone, ZoneKind } from "@huishi/contracts";
import { GroundPlane, type GroundPair, HuishiError } from "@huishi/kernel";

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

/** The setting without which a kind of rule means nothing. */
const SETTING_OF_RULE: Readonly<
  Partial<Record<RuleKind, "headingDeg" | "occupancyShare" | "densityPerM2" | "speedKmh">>
> = {
  wrong_way: "headingDeg",
  congestion: "occupancyShare",
  density_over: "densityPerM2",
  speed_over: "speedKmh",
};

/** What a person decides about a rule: everything but ids and version. */
export type RuleSettings = Omit<Rule, "id" | "cameraId" | "zoneId" | "version">;

/**
 * Does the rule fit its zone, has it what its kind needs, and can its schedule ever be armed?
 *
 * @throws HuishiError RULE_ZONE_OTHER_CAMERA, RULE_ZONE_KIND, RULE_SETTING_MISSING, RULE_SCHEDULE_EMPTY or RULE_TIME_ZONE
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
  const setting = SETTING_OF_RULE[settings.kind];
  if (setting !== undefined && settings[setting] === undefined) {
    throw new HuishiError(
      "RULE_SETTING_MISSING",
      `A rule of kind ${settings.kind} needs the setting ${setting}; give it a value.`,
      { details: { field: setting, ruleKind: settings.kind } },
    );
  }
  if (settings.schedule !== null) checkSchedule(settings.schedule);
}

/** Rules about metres on the ground, and rules that compare positions with those of other cameras. */
export function needsGroundPlane(settings: Pick<Rule, "kind" | "neighbours">): boolean {
  return isMeasured(settings.kind) || Boolean(settings.neighbours);
}

const isMeasured = (kind: RuleKind): boolean => kind === "density_over" || kind === "speed_over";

/** What a rule needs beside its zone. */
export interface RuleSurroundings {
  /** Of the camera's ground plane; null when it has none. */
  readonly groundPairs: readonly GroundPair[] | null;
  /** Is the datastream of the rule's sensor condition there? */
  readonly isDatastreamKnown: boolean;
}

/** @throws HuishiError RULE_NEEDS_GROUND_PLANE, RULE_ZONE_BEYOND_GROUND or RULE_DATASTREAM_UNKNOWN */
export function checkRuleSurroundings(
  settings: RuleSettings,
  zone: Zone,
  { groundPairs, isDatastreamKnown }: RuleSurroundings,
): void {
  if (settings.sensor && !isDatastreamKnown) {
    throw new HuishiError(
      "RULE_DATASTREAM_UNKNOWN",
      "There is no such datastream; choose one from the list of sensors, by its number.",
      { details: { field: "sensor.datastreamId", datastreamId: settings.sensor.datastreamId } },
    );
  }
  if (!needsGroundPlane(settings)) return;
  if (groundPairs === null) {
    throw new HuishiError(
      "RULE_NEEDS_GROUND_PLANE",
      "This rule needs positions on the ground; give the camera four points of its ground first.",
      { details: { field: isMeasured(settings.kind) ? "kind" : "neighbours", ruleKind: settings.kind } },
    );
  }
  if (isMeasured(settings.kind) && new GroundPlane(groundPairs).areaOf(zone.points) === null) {
    throw new HuishiError(
      "RULE_ZONE_BEYOND_GROUND",
      "The polygon reaches beyond the ground that the camera's four points describe; draw it lower in the picture.",
      { details: { field: "zoneId" } },
    );
  }
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
