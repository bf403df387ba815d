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
 */
export const RULE_KINDS = ["intrusion", "line_crossing", "dwell", "count_over"] as const;
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
    Pick<Rule, "alarmClass" | "persistenceMs" | "exitMs" | "dedupeMs" | "priority" | "threshold" | "minScore">
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
};
