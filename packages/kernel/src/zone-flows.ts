import type { Visit } from "./path.ts";

/** A way from one zone to another within one track; times in milliseconds since the track was first seen. */
export interface ZoneFlow {
  readonly fromZoneNo: number;
  readonly toZoneNo: number;
  readonly arrivedAtMs: number;
  /** From leaving the one to entering the other; 0 where the other was entered first. */
  readonly gapMs: number;
  /** No third zone was entered between them. */
  readonly isDirect: boolean;
}

/**
 * Where the visits of one track lead: from each visit to every other zone that is entered later, until the track is back.
 * A way to and fro is two flows; zones that are entered in the same moment lead nowhere.
 */
export function flowsOf(visits: readonly (Visit & { readonly zoneNo: number })[]): ZoneFlow[] {
  const inOrder = visits.toSorted((a, b) => a.enteredAtMs - b.enteredAtMs || a.zoneNo - b.zoneNo);
  return inOrder.flatMap((from, index) => flowsFrom(from, inOrder.slice(index + 1)));
}

function flowsFrom(
  from: Visit & { readonly zoneNo: number },
  later: readonly (Visit & { readonly zoneNo: number })[],
): ZoneFlow[] {
  const flows = new Map<number, ZoneFlow>();
  let firstArrivalMs: number | null = null;
  for (const { zoneNo, enteredAtMs } of later) {
    if (zoneNo === from.zoneNo) break;
    if (enteredAtMs === from.enteredAtMs || flows.has(zoneNo)) continue;
    firstArrivalMs ??= enteredAtMs;
    flows.set(zoneNo, {
      fromZoneNo: from.zoneNo,
      toZoneNo: zoneNo,
      arrivedAtMs: enteredAtMs,
      gapMs: Math.max(0, enteredAtMs - from.leftAtMs),
      isDirect: enteredAtMs === firstArrivalMs,
    });
  }
  return [...flows.values()];
}
