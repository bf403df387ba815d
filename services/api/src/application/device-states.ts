import type { CameraState, DatastreamState, SensorState } from "@huishi/contracts";
import { type Clock, HuishiError } from "@huishi/kernel";
import { staleAfterMs } from "../domain/series-plan.ts";
import { type NameDirectory, requireKnown } from "./scope.ts";
import { settle, type Versioned } from "./versioned.ts";

// Whoever may `view` sees every device; grants by area come with a later version and belong into the store's questions.

export interface StatesAsked {
  /** Keyset: ids behind this one. */
  readonly after: string | null;
  readonly limit: number;
}

export type KnownDatastream = Omit<DatastreamState, "ageMs" | "stale">;
export type KnownCamera = Omit<CameraState, "stale">;
export type KnownSensor = Omit<SensorState, "stale" | "datastreams"> & {
  readonly datastreams: readonly KnownDatastream[];
};

/** What was last known, in order of id. */
export interface DeviceStateStore {
  listCameras(asked: StatesAsked): Promise<KnownCamera[]>;
  listSensors(asked: StatesAsked): Promise<KnownSensor[]>;
  /** Without `areaId` the sensor stays where it is. */
  changeSensor(change: SensorChange): Promise<Versioned<KnownSensor>>;
}

export interface SensorChange {
  readonly id: string;
  readonly name: string;
  readonly areaId?: string | null;
  readonly version: number;
}

export interface DeviceStateParts {
  readonly store: DeviceStateStore;
  readonly clock: Clock;
}

interface PageAsked {
  readonly after?: string;
  readonly limit?: number;
}

const DEFAULT_PAGE = 100;

export async function pageCameraStates(
  { store, clock }: DeviceStateParts,
  asked: PageAsked,
): Promise<{ atMs: number; cameras: CameraState[]; next: string | null }> {
  const { after = null, limit = DEFAULT_PAGE } = asked;
  const { page, next } = cut(await store.listCameras({ after, limit: limit + 1 }), limit);
  const cameras = page.map((camera) => ({ ...camera, stale: !camera.agentOnline }));
  return { atMs: clock.nowMs(), cameras, next };
}

export async function pageSensorStates(
  { store, clock }: DeviceStateParts,
  asked: PageAsked,
): Promise<{ atMs: number; sensors: SensorState[]; next: string | null }> {
  const { after = null, limit = DEFAULT_PAGE } = asked;
  const { page, next } = cut(await store.listSensors({ after, limit: limit + 1 }), limit);
  const atMs = clock.nowMs();
  return { atMs, sensors: page.map((sensor) => withAges(sensor, atMs)), next };
}

/**
 * Names a sensor and says where it stands.
 *
 * @throws HuishiError SENSOR_NOT_FOUND, AREA_NOT_FOUND, VERSION_CONFLICT
 */
export async function changeSensor(
  { store, clock }: DeviceStateParts,
  names: NameDirectory,
  change: SensorChange,
): Promise<SensorState> {
  if (typeof change.areaId === "string") await requireKnown(names, "area", [change.areaId]);
  const changed = settle(await store.changeSensor(change), () => sensorNotFound(change.id));
  return withAges(changed, clock.nowMs());
}

function sensorNotFound(sensorId: string): HuishiError {
  return new HuishiError("SENSOR_NOT_FOUND", "There is no such sensor. Read the list again.", {
    details: { sensorId },
  });
}

const withAges = (sensor: KnownSensor, atMs: number): SensorState => ({
  ...sensor,
  stale: !sensor.agentOnline,
  datastreams: sensor.datastreams.map((stream) => withAge(stream, atMs)),
});

/** How old the last value is. A device whose clock runs ahead has values of age 0. */
function withAge(stream: KnownDatastream, nowMs: number): DatastreamState {
  const ageMs = stream.lastAtMs === null ? null : Math.max(0, nowMs - stream.lastAtMs);
  return { ...stream, ageMs, stale: ageMs === null || ageMs > staleAfterMs(stream.expectedIntervalMs) };
}

function cut<T extends { readonly id: string }>(
  rows: T[],
  limit: number,
): { page: T[]; next: string | null } {
  const page = rows.slice(0, limit);
  return { page, next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
