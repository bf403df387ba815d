import type { Rule, Zone } from "@huishi/contracts";
import type { Point } from "@huishi/kernel";
import { needsPictures } from "../rules/rule-machines.ts";

/** What a camera's pictures are looked at for. */
export interface BackgroundWatch {
  readonly polygons: readonly (readonly Point[])[];
  /** What has stood for so long belongs to the background. */
  readonly absorbMs: number;
}

const LEAST_ABSORB_MS = 3_600_000;

/** What the rules want to be watched; null when none of them needs pictures: then nothing is done with them. */
export function backgroundWatch(rules: readonly Rule[], zones: readonly Zone[]): BackgroundWatch | null {
  const wanting = rules.filter((rule) => rule.enabled && needsPictures(rule.kind));
  const polygons = wanting.flatMap(({ zoneId }) => {
    const zone = zones.find(({ id, kind }) => id === zoneId && kind === "polygon");
    return zone === undefined ? [] : [zone.points];
  });
  if (polygons.length === 0) return null;
  const longest = Math.max(...wanting.map(({ persistenceMs }) => persistenceMs));
  return { polygons, absorbMs: Math.max(LEAST_ABSORB_MS, 2 * longest) };
}
