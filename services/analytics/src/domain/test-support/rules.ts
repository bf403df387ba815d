import { RULE_DEFAULTS, type Rule, type RuleKind, type Zone } from "@huishi/contracts";
import type { Track } from "../tracker/track.ts";

/** The middle of the picture. */
export const SQUARE: Zone = {
  id: "zone-square",
  cameraId: "cam-1",
  name: "square",
  kind: "polygon",
  points: [
    { x: 0.3, y: 0.3 },
    { x: 0.7, y: 0.3 },
    { x: 0.7, y: 0.7 },
    { x: 0.3, y: 0.7 },
  ],
  version: 1,
};

/** From the bottom of the picture to its top: its left side is the picture's left half. */
export const UPWARDS: Zone = {
  id: "zone-line",
  cameraId: "cam-1",
  name: "line",
  kind: "line",
  points: [
    { x: 0.5, y: 1 },
    { x: 0.5, y: 0 },
  ],
  version: 1,
};

export function ruleOf(kind: RuleKind, overrides: Partial<Rule> = {}): Rule {
  return {
    ...RULE_DEFAULTS[kind],
    id: `rule-${kind}`,
    cameraId: "cam-1",
    zoneId: kind === "line_crossing" ? UPWARDS.id : SQUARE.id,
    name: kind,
    kind,
    classes: ["person", "car"],
    direction: "both",
    enabled: true,
    schedule: null,
    version: 1,
    ...overrides,
  };
}

/** A confirmed, seen track whose foot point is at (x, y). */
export function trackAt(id: number, x: number, y: number, overrides: Partial<Track> = {}): Track {
  return {
    id,
    objectClass: "person",
    state: "confirmed",
    box: { x: x - 0.02, y: y - 0.1, w: 0.04, h: 0.1 },
    velocity: { x: 0, y: 0 },
    firstSeenMs: 0,
    lastSeenMs: 0,
    observations: 5,
    scoreMean: 0.8,
    lastScore: 0.8,
    stationarySinceMs: null,
    observed: true,
    ...overrides,
  };
}
