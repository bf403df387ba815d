import { type Static, Type } from "typebox";
import { DisplayName, Id, ObjectClassSchema, PointSchema, PrioritySchema } from "./common.ts";

export const ZoneKindSchema = Type.Union([Type.Literal("polygon"), Type.Literal("line")]);
export type ZoneKind = Static<typeof ZoneKindSchema>;

/** A polygon of 3..32 corners, or a directed line from its first point A to its second, B. */
export const ZoneSchema = Type.Object(
  {
    id: Id,
    cameraId: Id,
    name: DisplayName,
    kind: ZoneKindSchema,
    points: Type.Array(PointSchema, { minItems: 2, maxItems: 32 }),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Zone = Static<typeof ZoneSchema>;

/**
 * `intrusion`: somebody's foot point stays in the polygon for `persistenceMs`.
 * `line_crossing`: a track crosses the line in `direction`; seen from A to B, "left_to_right" goes from the left
 * side of the line to its right side as the picture shows it.
 * `dwell`: something stands still in the polygon for `persistenceMs` (parking, fire lanes).
 * `count_over`: more than `threshold` objects in the polygon for `persistenceMs` (crowds).
 * `loitering`: the same object is in the polygon for `persistenceMs`, short absences allowed, moving or not.
 * `wrong_way`: something moves through the polygon against `headingDeg` for `persistenceMs`.
 * `congestion`: objects cover at least `occupancyShare` of the polygon and move slowly for `persistenceMs`.
 * `density_over`: more than `densityPerM2` objects a square metre in the polygon; needs the camera's ground plane.
 * `speed_over`: something in the polygon is faster than `speedKmh`; needs the camera's ground plane.
 * `abandoned_object`: something without a track was put into the polygon and stays for `persistenceMs`.
 * `object_removed`: something that belonged to the background of the polygon has been gone for `persistenceMs`.
 */
export const RULE_KINDS = [
  "intrusion",
  "line_crossing",
  "dwell",
  "count_over",
  "loitering",
  "wrong_way",
  "congestion",
  "density_over",
  "speed_over",
  "abandoned_object",
  "object_removed",
] as const;
export const RuleKindSchema = Type.Enum(RULE_KINDS);
export type RuleKind = Static<typeof RuleKindSchema>;

export const LineDirectionSchema = Type.Union([
  Type.Literal("left_to_right"),
  Type.Literal("right_to_left"),
  Type.Literal("both"),
]);
export type LineDirection = Static<typeof LineDirectionSchema>;

/** When a rule is armed: weekdays (1 = Monday) and minutes of the local day; `to` before `from` runs over midnight. */
export const ScheduleSchema = Type.Object(
  {
    days: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), {
      minItems: 1,
      maxItems: 7,
      uniqueItems: true,
    }),
    fromMinute: Type.Integer({ minimum: 0, maximum: 1439 }),
    toMinute: Type.Integer({ minimum: 0, maximum: 1440 }),
    /** IANA time zone. */
    timeZone: Type.String({ maxLength: 64 }),
  },
  { additionalProperties: false },
);
export type Schedule = Static<typeof ScheduleSchema>;

/** When an object is in a polygon: its foot point is, or at least `overlapShare` of its box is. */
export const IN_ZONE_BY = ["foot_point", "overlap"] as const;
export type InZoneBy = (typeof IN_ZONE_BY)[number];

/**
 * A sensor's word that must hold as well (water over the road AND somebody in it). A reading older than `maxAgeMs` does
 * not hold: nothing stale counts as true.
 */
export const SensorConditionSchema = Type.Object(
  {
    /** The datastream's number (`no`), as decimal text. */
    datastreamId: Id,
    comparison: Type.Enum(["above", "below"]),
    /** In the datastream's own unit. */
    value: Type.Number(),
    maxAgeMs: Type.Integer({ minimum: 1_000, maximum: 86_400_000 }),
  },
  { additionalProperties: false },
);
export type SensorCondition = Static<typeof SensorConditionSchema>;

/**
 * Neighbouring cameras that see the same thing raise one alarm: an alarm of the same class within `metres` and `withinMs`
 * of an open one of another camera is an occurrence of that one. Needs the ground planes of both.
 */
export const NeighboursSchema = Type.Object(
  {
    metres: Type.Number({ minimum: 1, maximum: 500 }),
    withinMs: Type.Integer({ minimum: 1_000, maximum: 3_600_000 }),
  },
  { additionalProperties: false },
);
export type Neighbours = Static<typeof NeighboursSchema>;

/** What a person decides about a rule; ids and versions are the server's. */
export const ruleSettings = {
  name: DisplayName,
  kind: RuleKindSchema,
  /** Alarm class that the rule raises, e.g. `intrusion`, `illegal_parking_motor`, `fire_lane_blocked`. */
  alarmClass: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
  classes: Type.Array(ObjectClassSchema, { minItems: 1, maxItems: 10, uniqueItems: true }),
  minScore: Type.Number({ minimum: 0, maximum: 1 }),
  persistenceMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
  /** The condition must be gone this long before it counts as over. */
  exitMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
  /** Within this time of the last occurrence the same rule adds an occurrence to its open alarm. */
  dedupeMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
  /** `count_over` only: alarm above this count. */
  threshold: Type.Integer({ minimum: 0, maximum: 10_000 }),
  /** `line_crossing` only. */
  direction: LineDirectionSchema,
  priority: PrioritySchema,
  enabled: Type.Boolean(),
  schedule: Type.Union([ScheduleSchema, Type.Null()]),
  /** Polygons only; `foot_point` unless told otherwise. */
  inZoneBy: Type.Optional(Type.Enum(IN_ZONE_BY)),
  /** With `inZoneBy: "overlap"`: share of the box that must lie in the polygon; 0.5 unless told otherwise. */
  overlapShare: Type.Optional(Type.Number({ minimum: 0.05, maximum: 1 })),
  /** `wrong_way`: the allowed way in the picture: 0 up, 90 right, 180 down. */
  headingDeg: Type.Optional(Type.Integer({ minimum: 0, maximum: 359 })),
  /** `congestion`: covered share of the polygon. */
  occupancyShare: Type.Optional(Type.Number({ minimum: 0.05, maximum: 1 })),
  /** `density_over`: objects a square metre. */
  densityPerM2: Type.Optional(Type.Number({ minimum: 0.01, maximum: 10 })),
  /** `speed_over`. */
  speedKmh: Type.Optional(Type.Number({ minimum: 1, maximum: 300 })),
  sensor: Type.Optional(Type.Union([SensorConditionSchema, Type.Null()])),
  neighbours: Type.Optional(Type.Union([NeighboursSchema, Type.Null()])),
};

export const RuleSchema = Type.Object(
  { id: Id, cameraId: Id, zoneId: Id, ...ruleSettings, version: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
export type Rule = Static<typeof RuleSchema>;

/** Defaults that a new rule of each kind starts from (domain.md's seed table; every figure is configurable). */
export const RULE_DEFAULTS: Readonly<
  Record<
    RuleKind,
    Pick<
      Rule,
      "alarmClass" | "persistenceMs" | "exitMs" | "dedupeMs" | "priority" | "threshold" | "minScore"
    > &
      Pick<Partial<Rule>, "headingDeg" | "occupancyShare" | "densityPerM2" | "speedKmh">
  >
> = {
  intrusion: {
    alarmClass: "intrusion",
    persistenceMs: 3_000,
    exitMs: 2_000,
    dedupeMs: 60_000,
    priority: "P2",
    threshold: 0,
    minScore: 0.4,
  },
  line_crossing: {
    alarmClass: "line_crossing",
    persistenceMs: 0,
    exitMs: 0,
    dedupeMs: 10_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
  },
  dwell: {
    alarmClass: "illegal_parking_motor",
    persistenceMs: 300_000,
    exitMs: 15_000,
    dedupeMs: 600_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
  },
  count_over: {
    alarmClass: "crowd_gathering",
    persistenceMs: 60_000,
    exitMs: 10_000,
    dedupeMs: 300_000,
    priority: "P2",
    threshold: 8,
    minScore: 0.4,
  },
  loitering: {
    alarmClass: "loitering",
    persistenceMs: 120_000,
    exitMs: 15_000,
    dedupeMs: 600_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
  },
  wrong_way: {
    alarmClass: "wrong_way",
    persistenceMs: 1_000,
    exitMs: 2_000,
    dedupeMs: 60_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
    headingDeg: 0,
  },
  congestion: {
    alarmClass: "lane_congestion",
    persistenceMs: 180_000,
    exitMs: 30_000,
    dedupeMs: 600_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
    occupancyShare: 0.5,
  },
  density_over: {
    alarmClass: "crowd_gathering",
    persistenceMs: 60_000,
    exitMs: 10_000,
    dedupeMs: 300_000,
    priority: "P2",
    threshold: 0,
    minScore: 0.4,
    densityPerM2: 1,
  },
  speed_over: {
    alarmClass: "speeding",
    persistenceMs: 500,
    exitMs: 2_000,
    dedupeMs: 60_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
    speedKmh: 60,
  },
  abandoned_object: {
    alarmClass: "abandoned_object",
    persistenceMs: 60_000,
    exitMs: 10_000,
    dedupeMs: 600_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
  },
  object_removed: {
    alarmClass: "object_removed",
    persistenceMs: 60_000,
    exitMs: 10_000,
    dedupeMs: 600_000,
    priority: "P3",
    threshold: 0,
    minScore: 0.4,
  },
};
