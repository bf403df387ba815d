import type { Rule, RuleKind, Zone, ZoneKind } from "@huishi/contracts";
import type { GroundPlane, Point } from "@huishi/kernel";
import { LevelMachine } from "./level-machine.ts";
import { CongestionReader, CountReader, DensityReader } from "./level-readers.ts";
import { LineMachine } from "./line-machine.ts";
import type { RuleMachine } from "./machine.ts";
import { RegionMachine } from "./region-machine.ts";
import { StayMachine } from "./stay-machine.ts";
import { foundAgain, InsideReader, SpeedReader, StandingReader, WrongWayReader } from "./stay-readers.ts";
import { ZonePresence } from "./zone-presence.ts";

/** Why a rule does nothing. */
export type RuleHindrance =
  /** A line where a polygon is needed, or the other way round. */
  | "zone_kind"
  /** The camera has no ground plane. */
  | "needs_ground_plane"
  /** The polygon reaches to the horizon of the camera's ground plane, or is no area on it. */
  | "zone_beyond_ground"
  /** A setting that this kind of rule needs is not set. */
  | "setting_missing";

interface Kind {
  readonly zone: ZoneKind;
  readonly needsPictures?: true;
  readonly needsGroundPlane?: true;
  /** The setting without which the kind means nothing. */
  readonly setting?: "headingDeg" | "occupancyShare" | "densityPerM2" | "speedKmh";
}

const KINDS: Readonly<Record<RuleKind, Kind>> = {
  intrusion: { zone: "polygon" },
  line_crossing: { zone: "line" },
  dwell: { zone: "polygon" },
  count_over: { zone: "polygon" },
  loitering: { zone: "polygon" },
  wrong_way: { zone: "polygon", setting: "headingDeg" },
  congestion: { zone: "polygon", setting: "occupancyShare" },
  density_over: { zone: "polygon", setting: "densityPerM2", needsGroundPlane: true },
  speed_over: { zone: "polygon", setting: "speedKmh", needsGroundPlane: true },
  abandoned_object: { zone: "polygon", needsPictures: true },
  object_removed: { zone: "polygon", needsPictures: true },
};

/** Is the kind decided by pictures? Then it cannot be rehearsed from stored tracks. */
export function needsPictures(kind: RuleKind): boolean {
  return KINDS[kind].needsPictures === true;
}

/** The machine that runs a rule, or what keeps it from running. */
export function machineFor(rule: Rule, zone: Zone, plane: GroundPlane | null): RuleMachine | RuleHindrance {
  const kind = KINDS[rule.kind];
  if (zone.kind !== kind.zone || zone.points.length < (kind.zone === "line" ? 2 : 3)) return "zone_kind";
  if (kind.setting !== undefined && rule[kind.setting] === undefined) return "setting_missing";
  if (kind.needsGroundPlane !== true) return simpleMachine(rule, zone.points);
  if (plane === null) return "needs_ground_plane";
  const areaM2 = plane.areaOf(zone.points);
  if (areaM2 === null || areaM2 <= 0) return "zone_beyond_ground";
  return rule.kind === "density_over"
    ? new LevelMachine(rule, new DensityReader(rule, zone.points, areaM2))
    : new StayMachine(rule, { reader: new SpeedReader(rule, zone.points, plane) });
}

function simpleMachine(rule: Rule, points: readonly Point[]): RuleMachine {
  switch (rule.kind) {
    case "line_crossing":
      return new LineMachine(rule, points);
    case "dwell":
      return new StayMachine(rule, { reader: new StandingReader(rule, points) });
    case "count_over":
      return new LevelMachine(rule, new CountReader(rule, points, rule.threshold));
    case "congestion":
      return new LevelMachine(rule, new CongestionReader(rule, points));
    case "wrong_way":
      return new StayMachine(rule, { reader: new WrongWayReader(rule, points) });
    case "loitering":
      return new StayMachine(rule, {
        reader: new InsideReader(rule, points),
        presence: new ZonePresence(rule.exitMs, foundAgain),
        heldMs: ({ heldMs }) => heldMs,
      });
    case "abandoned_object":
    case "object_removed":
      return new RegionMachine(rule, points);
    case "intrusion":
      return new StayMachine(rule, { reader: new InsideReader(rule, points) });
    default:
      throw new RangeError(`${rule.kind} needs a ground plane`);
  }
}
