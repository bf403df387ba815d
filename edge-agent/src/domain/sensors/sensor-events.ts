import type { EdgeEvent } from "@huishi/contracts";

type WithoutStamp<E> = E extends EdgeEvent ? Omit<E, "seq" | "agentAtMs"> : never;
type SensorEventType = "sensor_inventory" | "observation" | "sensor_health" | "sensor_alarm";
/** What is told of a sensor, before the outbox gave it its number and time. */
export type SensorEvent = WithoutStamp<Extract<EdgeEvent, { type: SensorEventType }>>;
