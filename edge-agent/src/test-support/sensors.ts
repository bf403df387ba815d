import type { AgentSensor, SensorThreshold } from "@huishi/contracts";
import type { SensorEvent } from "../domain/sensors/sensor-events.ts";

export const NOON = Date.UTC(2026, 5, 1, 12);

/** A manhole cover that sends `{ tilt, at }`. */
export function manhole(change: Partial<AgentSensor> = {}): AgentSensor {
  return {
    id: "manhole-1",
    name: "井盖 1",
    source: { kind: "mqtt", topic: "site/manhole/1" },
    datastreams: [{ observedProperty: "tilt", unit: "deg", pointer: "/tilt", min: -180, max: 180 }],
    ...change,
  };
}

export function limit(change: Partial<SensorThreshold> = {}): SensorThreshold {
  return {
    id: "tilted",
    observedProperty: "tilt",
    when: "above",
    limit: 15,
    alarmClass: "manhole_abnormal",
    priority: "P1",
    ...change,
  };
}

export type EventOf<T extends SensorEvent["type"]> = Extract<SensorEvent, { type: T }>;
export const only = <T extends SensorEvent["type"]>(events: readonly SensorEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);
