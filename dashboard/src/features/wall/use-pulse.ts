/** Two pulses of a tile's frame for a new alarm, then solid. In a flood the frame stays solid (ui.md: calm). */
import type { Priority } from "@huishi/contracts";
import { useEffect, useRef } from "react";
import type { OpenAlarm } from "../../core/model/alarm-list.ts";
import { urgency } from "../../core/model/tile-arrangement.ts";

const PULSE_MS = 450;
/** An alarm of the same urgency within this time does not pulse again. */
const QUIET_MS = 4_000;

export interface LastPulse {
  readonly alarmId: string;
  readonly priority: Priority;
  readonly atMs: number;
}

/** Is this alarm worth a pulse after the last one? */
export function isWorthAPulse(alarm: OpenAlarm, last: LastPulse | null, nowMs: number): boolean {
  if (last === null) return true;
  if (alarm.alarmId === last.alarmId) return false;
  return urgency(alarm.priority) < urgency(last.priority) || nowMs - last.atMs > QUIET_MS;
}

export function usePulse(frame: React.RefObject<HTMLElement | null>, alarm: OpenAlarm | null): void {
  const last = useRef<LastPulse | null>(null);
  useEffect(() => {
    if (!alarm) {
      last.current = null;
      return undefined;
    }
    const nowMs = performance.now();
    if (!isWorthAPulse(alarm, last.current, nowMs)) return undefined;
    last.current = { alarmId: alarm.alarmId, priority: alarm.priority, atMs: nowMs };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return undefined;
    frame.current?.animate([{ borderWidth: "4px" }, { borderWidth: "14px" }, { borderWidth: "4px" }], {
      duration: PULSE_MS,
      iterations: 2,
      easing: "ease-in-out",
    });
    return undefined;
  }, [frame, alarm]);
}
