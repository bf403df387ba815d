/** A rule as its form holds it, and the way to the API and back. */
import {
  OBJECT_CLASSES,
  type ObjectClass,
  RULE_DEFAULTS,
  type Rule,
  type RuleCreateBody,
  type RuleKind,
  type Schedule,
  type ZoneKind,
} from "@huishi/contracts";

export type RuleForm = Omit<RuleCreateBody, "zoneId">;

/** Kinds of rules that a zone of this kind can carry, the most usual first. */
export const KINDS_OF_ZONE: Readonly<Record<ZoneKind, readonly RuleKind[]>> = {
  polygon: [
    "intrusion",
    "dwell",
    "count_over",
    "loitering",
    "wrong_way",
    "congestion",
    "density_over",
    "speed_over",
    "abandoned_object",
    "object_removed",
  ],
  line: ["line_crossing"],
};

/** Alarm classes that a kind of rule usually raises (domain seed table); the first is its default. */
export const CLASSES_OF_KIND: Readonly<Record<RuleKind, readonly string[]>> = {
  intrusion: ["intrusion", "water_danger_zone", "loitering"],
  dwell: ["illegal_parking_motor", "illegal_parking_nonmotor", "fire_lane_blocked", "loitering"],
  count_over: ["crowd_gathering", "lane_congestion"],
  line_crossing: ["line_crossing", "wrong_way", "traffic_flow"],
  loitering: ["loitering", "water_danger_zone"],
  wrong_way: ["wrong_way"],
  congestion: ["lane_congestion"],
  density_over: ["crowd_gathering"],
  speed_over: ["speeding"],
  abandoned_object: ["abandoned_object"],
  object_removed: ["object_removed"],
};

export const ALL_OBJECT_CLASSES = Object.keys(OBJECT_CLASSES) as readonly ObjectClass[];

const USUAL_OBJECTS: Readonly<Record<RuleKind, readonly ObjectClass[]>> = {
  intrusion: ["person"],
  dwell: ["car", "bus", "truck"],
  count_over: ["person"],
  line_crossing: ["person", "bicycle", "car", "motorcycle", "bus", "truck"],
  loitering: ["person"],
  wrong_way: ["car", "bus", "truck", "motorcycle"],
  congestion: ["car", "bus", "truck"],
  density_over: ["person"],
  speed_over: ["car", "bus", "truck", "motorcycle"],
  abandoned_object: ["person"],
  object_removed: ["person"],
};

/** A new rule of a kind with the domain's defaults. */
export function newRuleForm(kind: RuleKind, name: string): RuleForm {
  return {
    name,
    kind,
    classes: [...USUAL_OBJECTS[kind]],
    direction: "both",
    enabled: true,
    schedule: null,
    ...RULE_DEFAULTS[kind],
  };
}

export function formOf(rule: Rule): RuleForm {
  const { id: _id, cameraId: _cameraId, zoneId: _zoneId, version: _version, ...form } = rule;
  return form;
}

/** Another kind brings its own defaults; what somebody named stays. */
export function withKind(form: RuleForm, kind: RuleKind): RuleForm {
  return { ...newRuleForm(kind, form.name), enabled: form.enabled, schedule: form.schedule };
}

export function toggleClass(form: RuleForm, objectClass: ObjectClass): RuleForm {
  const classes = form.classes.includes(objectClass)
    ? form.classes.filter((known) => known !== objectClass)
    : ALL_OBJECT_CLASSES.filter((known) => known === objectClass || form.classes.includes(known));
  return { ...form, classes };
}

/** Every day from 22:00 to 06:00: what people mean when they first ask for a schedule. */
export function firstSchedule(timeZone: string): Schedule {
  return { days: [1, 2, 3, 4, 5, 6, 7], fromMinute: 22 * 60, toMinute: 6 * 60, timeZone };
}

export function toggleDay(schedule: Schedule, day: number): Schedule {
  const days = schedule.days.includes(day)
    ? schedule.days.filter((known) => known !== day)
    : [...schedule.days, day].sort((a, b) => a - b);
  return days.length === 0 ? schedule : { ...schedule, days };
}

/** 1320 -> "22:00", as an <input type="time"> writes it. */
export function timeText(minute: number): string {
  return `${String(Math.floor((minute % 1440) / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** "22:00" -> 1320; null for a half-typed time. */
export function minuteOf(text: string): number | null {
  const match = /^(\d{2}):(\d{2})/.exec(text);
  return match ? Number(match[1]) * 60 + Number(match[2]) : null;
}
