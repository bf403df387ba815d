/** The zones of one camera as the overlay draws them: with counts, and in colour while an alarm is open. */
import type { Alarm, Zone } from "@huishi/contracts";
import { useMemo } from "react";
import { useApp } from "../core/app-context.ts";
import { useWords } from "../core/i18n/use-words.ts";
import type { AlarmListState } from "../core/model/alarm-list.ts";
import type { LineCount } from "../core/model/operations.ts";
import { urgency } from "../core/model/tile-arrangement.ts";
import type { OverlayZone } from "../core/overlay/draw.ts";
import { isSameList, useSelector, useStore } from "../core/store.ts";

/** Crossings of the zone's counting rules, added up. Null when nothing counts on it. */
export function countsOfZone(
  zoneId: string,
  rules: readonly { readonly id: string; readonly zoneId: string }[],
  counts: ReadonlyMap<string, LineCount>,
): LineCount | null {
  const found = rules.filter((rule) => rule.zoneId === zoneId).map((rule) => counts.get(rule.id));
  const known = found.filter((count) => count !== undefined);
  // Several rules on one line count the same crossings: the largest is the line's own number.
  return known.length === 0
    ? null
    : {
        leftToRight: Math.max(...known.map((count) => count.leftToRight)),
        rightToLeft: Math.max(...known.map((count) => count.rightToLeft)),
      };
}

/** `zoneId priority` of the most urgent open alarm of each zone, by camera. Every tile asks: counted once a state. */
const openByState = new WeakMap<AlarmListState, ReadonlyMap<string, readonly string[]>>();
const NONE: readonly string[] = [];

function openByZone(state: AlarmListState, cameraId: string): readonly string[] {
  const known = openByState.get(state) ?? countOpen(state);
  openByState.set(state, known);
  return known.get(cameraId) ?? NONE;
}

function countOpen(state: AlarmListState): Map<string, readonly string[]> {
  const zones = new Map<string, Alarm>();
  for (const id of state.order) {
    const alarm = state.byId.get(id);
    if (alarm?.state !== "new" || alarm.zoneId === null) continue;
    if (urgency(alarm.priority) < urgency(zones.get(alarm.zoneId)?.priority)) zones.set(alarm.zoneId, alarm);
  }
  const cameras = new Map<string, string[]>();
  for (const [zoneId, { cameraId, priority }] of zones) {
    if (cameraId === null) continue;
    cameras.set(cameraId, [...(cameras.get(cameraId) ?? []), `${zoneId} ${priority}`]);
  }
  return cameras;
}

const byCamera =
  (cameraId: string) =>
  <T extends { readonly cameraId: string }>(list: readonly T[]): readonly T[] =>
    list.filter((element) => element.cameraId === cameraId);

export function useCameraZones(cameraId: string): readonly Zone[] {
  const { operations } = useApp();
  return useSelector(
    operations.zones,
    useMemo(() => byCamera(cameraId), [cameraId]),
    isSameList,
  );
}

export function useOverlayZones(cameraId: string): readonly OverlayZone[] {
  const { operations } = useApp();
  const { number } = useWords();
  const zones = useCameraZones(cameraId);
  const rules = useSelector(
    operations.rules,
    useMemo(() => byCamera(cameraId), [cameraId]),
    isSameList,
  );
  const counts = useStore(operations.lineCounts);
  const open = useSelector(
    operations.alarms,
    useMemo(() => (state: AlarmListState) => openByZone(state, cameraId), [cameraId]),
    isSameList,
  );
  return useMemo(() => {
    const root = getComputedStyle(document.documentElement);
    const priorities = new Map(open.map((entry) => entry.split(" ") as [string, string]));
    return zones.map((zone) => {
      const priority = priorities.get(zone.id);
      const count = countsOfZone(zone.id, rules, counts);
      return {
        zone,
        alarmColour: priority ? root.getPropertyValue(`--${priority.toLowerCase()}`).trim() : null,
        counts: count && { leftToRight: number(count.leftToRight), rightToLeft: number(count.rightToLeft) },
      };
    });
  }, [zones, rules, counts, open, number]);
}
