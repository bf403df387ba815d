// What the agent looks after: cameras, their recordings and pictures, sensors.
import type { AgentConfig } from "@huishi/contracts";
import { CameraRegistryFile } from "./adapters/state-files/camera-registry-file.ts";
import { WsDiscovery } from "./adapters/ws-discovery/ws-discovery.ts";
import { CameraFleet } from "./application/camera-fleet.ts";
import { DEFAULT_CAMERA_TIMINGS } from "./application/camera-keeper.ts";
import type { Configurable } from "./application/configuration.ts";
import type { MediaLink, TapListener } from "./application/ports.ts";
import type { SensorKeeper } from "./application/sensor-keeper.ts";
import type { AgentBase } from "./compose-base.ts";
import {
  type CameraParts,
  configuredAddress,
  configuredKeeper,
  discoveredKeeper,
} from "./compose-cameras.ts";
import type { CommandParts } from "./compose-command.ts";
import { composeHealth, type HealthParts } from "./compose-health.ts";
import { type ComposedRecording, composeRecording } from "./compose-recording.ts";
import { composeSensors, type Sensors } from "./compose-sensors.ts";
import { UplinkBudget } from "./domain/uplink-budget.ts";

/** What every camera is made of. */
export interface CameraBase {
  readonly parts: CameraParts;
  readonly health: HealthParts;
  readonly budget: UplinkBudget;
}

export interface ComposedDevices {
  readonly fleet: CameraFleet;
  readonly recordings: ComposedRecording;
  readonly sensors: Sensors;
  /** Until the signal aborts; all is at rest then. */
  run(signal: AbortSignal): Promise<void>;
  /** After `run` has ended. */
  close(): Promise<void>;
}

/** @param configuration the centre's; asked for when a camera is there */
export async function composeCameraBase(
  base: AgentBase,
  link: MediaLink,
  configuration: () => AgentConfig | null,
): Promise<CameraBase> {
  const { clock, log, recorder, options } = base;
  const budget = new UplinkBudget();
  const health = composeHealth({
    recorder,
    clock,
    log,
    isWatched: (cameraId) => (options.watchPictures ?? true) && isWatched(configuration(), cameraId),
  });
  const parts = {
    clock,
    log,
    recorder,
    link,
    budget,
    findings: health.board,
    registry: await CameraRegistryFile.open(options.stateDir, log),
    timings: { ...DEFAULT_CAMERA_TIMINGS, ...options.timings },
  };
  return { parts, health, budget };
}

/** @throws EdgeError STATE_DIR, SENSOR_CONFIG_INVALID, UNIT_UNKNOWN, UNIT_MISMATCH */
export async function composeDevices(
  base: AgentBase,
  cameras: CameraBase,
  command: CommandParts,
): Promise<ComposedDevices> {
  const { options, recorder, clock, log } = base;
  const { health, budget } = cameras;
  const recordings = await recordingsOf(base, cameras, command);
  command.configuration.add(recordings.configurable);
  const fleet = fleetOf(base, cameras, [health.watch, recordings.recording]);
  const sensors = composeSensors({
    recorder,
    clock,
    log,
    sensors: options.sensors ?? [],
    listeners: options.sensorListeners ?? {},
    ...(options.onSensorListening === undefined ? {} : { onListening: options.onSensorListening }),
  });
  command.configuration.add(sensorsConfigured(sensors.keeper));
  command.configuration.add({
    name: "uplink",
    apply: (config) => void (budget.bitsPerSecond = config?.site.uplinkBitsPerSecond ?? null),
  });
  return {
    fleet,
    recordings,
    sensors,
    async run(signal) {
      await Promise.all([fleet.run(signal), sensors.run(signal), health.watch.run(signal)]);
    },
    async close() {
      health.decoder.close();
      await recordings.close();
    },
  };
}

function recordingsOf(
  base: AgentBase,
  { parts }: CameraBase,
  { desk }: CommandParts,
): Promise<ComposedRecording> {
  const { options, recorder, clock, log, known, agentId } = base;
  return composeRecording({
    ...options.recordings,
    stateDir: options.stateDir,
    agentId,
    keys: known.keys.sign,
    clock,
    log,
    link: parts.link,
    desk,
    record: (event) => recorder.record(event),
    ...(options.recordingsDir === undefined ? {} : { folder: options.recordingsDir }),
  });
}

function fleetOf(
  { options, clock, log }: AgentBase,
  { parts }: CameraBase,
  taps: readonly TapListener[],
): CameraFleet {
  const { discovery } = options;
  return new CameraFleet({
    clock,
    log,
    discovery: discovery.enabled ? new WsDiscovery(discovery) : null,
    discoveryIntervalMs: discovery.intervalMs,
    configured: options.cameras.map((camera) => configuredKeeper(camera, parts)),
    taps,
    configuredAddresses: new Set(options.cameras.map(configuredAddress)),
    adopt:
      (discovery.adopt ?? discovery.credentials !== undefined)
        ? (device) => discoveredKeeper(device, discovery.credentials, parts)
        : null,
  });
}

function isWatched(config: AgentConfig | null, cameraId: string): boolean {
  return config?.cameras.find(({ id }) => id === cameraId)?.watchPicture !== false;
}

function sensorsConfigured(keeper: SensorKeeper): Configurable {
  return {
    name: "sensors",
    check: ({ sensors }) => keeper.check(sensors),
    apply: (config) => keeper.apply(config?.sensors ?? []),
  };
}
