import type { SensorCondition } from "@huishi/contracts";

/** The last value of one datastream, in its own unit. */
export interface SensorReading {
  readonly datastreamId: string;
  readonly value: number;
  /** When the sensor measured it. */
  readonly atMs: number;
}

/** The latest readings of the datastreams that rules name. */
export interface SensorReadings {
  /** null: none is known. */
  latest(datastreamId: string): SensorReading | null;
}

/**
 * The reading that makes the condition true at this moment; null when it is not true, or nobody knows: a reading that is
 * older than `maxAgeMs`, or as far ahead (a sensor's clock that was set wrong would never be stale).
 */
export function holdingReading(
  condition: SensorCondition,
  readings: SensorReadings,
  capturedAtMs: number,
): SensorReading | null {
  const reading = readings.latest(condition.datastreamId);
  if (reading === null || Math.abs(capturedAtMs - reading.atMs) > condition.maxAgeMs) return null;
  const holds =
    condition.comparison === "above" ? reading.value > condition.value : reading.value < condition.value;
  return holds ? reading : null;
}
