// What the sensor keeper and its adapters need of each other.
import type { SensorFault } from "../domain/sensors/sensor-state.ts";
import type { SensorPlan } from "../domain/sensors/sensor-plan.ts";

/** Largest message of a sensor, bytes. */
export const MAX_SENSOR_MESSAGE_BYTES = 16 * 1024;

export type MessageOutcome =
  "taken" | "SENSOR_NOT_FOUND" | "SENSOR_FLOODING" | "SENSOR_PAYLOAD_INVALID" | "SENSOR_PAYLOAD_TOO_LARGE";

/** Takes what sensors say. Never throws, never waits. */
export interface SensorSink {
  /** A message as it came: JSON. */
  message(sensorId: string, payload: Uint8Array): MessageOutcome;
  /** Raw numbers in the order of the sensor's datastreams, just read. */
  readings(sensorId: string, raws: readonly number[]): void;
  fault(sensorId: string, fault: SensorFault): void;
}

/**
 * The address that a device's host name stands for, or the host itself: throws when nobody may speak to it (the site's
 * networks).
 */
export type ResolveHost = (host: string, signal: AbortSignal) => Promise<string>;

/** A way by which sensors speak. */
export interface SensorInlet {
  readonly kind: SensorPlan["sensor"]["source"]["kind"];
  /**
   * From now on it serves these sensors of its kind and no others. A plan that is the same object as before goes on
   * undisturbed.
   */
  route(plans: readonly SensorPlan[]): void;
  /** Runs until the signal aborts; throws when it cannot. */
  run(signal: AbortSignal): Promise<void>;
}
