// What the agent looks after: cameras, their recordings and pictures, sensors.
import type { AgentConfig } from "@huishi/contracts";
import { ViewFiles } from "./adapters/state-files/view-files.ts";
import { CameraRegistryFile } from "./adapters/state-files/camera-registry-file.ts";
import { MqttUploader } from "./adapters/mqtt/mqtt-uploader.ts";
import { CameraCommands } from "./application/camera-commands.ts";
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
import { type ComposedDiscovery, composeDiscovery } from "./compose-discovery.ts";
import { composeHealth, type HealthParts } from "./compose-health.ts";
import { type ComposedRecording, composeRecording } from "./compose-recording.ts";
import { composeSensors, type Sensors } from "./compose-sensors.ts";
import { UplinkBudget } from "./domain/uplink-budget.ts";

/** What every camera is made of. */
export interface CameraBase {
  readonly parts: CameraParts;
  readonly health: HealthParts;
  readonly budget: UplinkBudget;
  /** Who is on the network, and who of it may be spoken to. */
  readonly found: ComposedDiscovery;
}

export interface ComposedDevices {
  readonly fleet: CameraFleet;
  readonly recordings: ComposedRecording;
  readonly sensors: Sensors;
  readonly found: ComposedDiscovery;
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
  const found = await composeDiscovery({ ...options, log, clock, recorder });
  const health = composeHealth({
    views: new ViewFiles(options.stateDir),
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
    guard: found.guard,
    locate: (key: string) => found.watch.locate(key)?.onvifUrl ?? null,
    signIns: found.signIns,
    controls: new Map(),
  };
  return { parts, health, budget, found };
}

/** @throws EdgeError STATE_DIR, SENSOR_CONFIG_INVALID, UNIT_UNKNOWN, UNIT_MISMATCH */
export async function composeDevices(
  base: AgentBase,
  cameras: CameraBase,
  command: CommandParts,
): Promise<ComposedDevices> {
  const { options, recorder, clock, log } = base;
  const { health, budget, found } = cameras;
  const recordings = await recordingsOf(base, cameras, command);
  command.configuration.add(recordings.configurable);
  const fleet = fleetOf(base, cameras, [health.watch, recordings.recording]);
  const sensors = composeSensors({
    recorder,
    clock,
    log,
    sensors: options.sensors ?? [],
    listeners: options.sensorListeners ?? {},
    resolveHost: async (host, signal) => (await found.guard.assertReachable(host, signal)).address,
    ...(options.onSensorListening === undefined ? {} : { onListening: options.onSensorListening }),
  });
  command.configuration.add(sensorsConfigured(sensors.keeper));
  command.configuration.add({
    name: "uplink",
    apply: (config) => void (budget.bitsPerSecond = config?.site.uplinkBitsPerSecond ?? null),
  });
  registerControl(base, cameras, command);
  return {
    fleet,
    recordings,
    sensors,
    found,
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
    budget: parts.budget,
    desk,
    record: (event) => recorder.record(event),
    local: new Map(options.cameras.flatMap(({ id, record }) => (id && record ? [[id, record]] : []))),
    ...(options.recording === undefined ? {} : { policy: options.recording }),
    ...(options.recordingsDir === undefined ? {} : { folder: options.recordingsDir }),
  });
}

/** Commands to cameras and to the network. A camera that is steered has another view on purpose. */
function registerControl(
  { agentId, clock }: AgentBase,
  { parts, health, found, budget }: CameraBase,
  { desk }: CommandParts,
): void {
  const commands = new CameraCommands({
    find: (cameraId) => parts.controls.get(cameraId) ?? null,
    uploader: new MqttUploader(parts.link, agentId, (bytes) => budget.takeUpload(bytes, clock.nowMs())),
  });
  desk.register("ptz", async (body, signal) => {
    const result = await commands.ptz(body, signal);
    health.watch.viewChanged(body.cameraId);
    return result;
  });
  desk.register("imaging", commands.imaging);
  desk.register("snapshot", commands.snapshot);
  desk.register("scan", found.watch.scan);
}

function fleetOf(
  { options, clock, log }: AgentBase,
  { parts, found }: CameraBase,
  taps: readonly TapListener[],
): CameraFleet {
  const { discovery } = options;
  return new CameraFleet({
    clock,
    log,
    discovery: discovery.enabled ? found.watch : null,
    discoveryIntervalMs: discovery.intervalMs,
    configured: options.cameras.map((camera) => configuredKeeper(camera, parts)),
    taps,
    configuredAddresses: new Set(options.cameras.map(configuredAddress)),
    adopt:
      discovery.adopt === true ? (device) => discoveredKeeper(device, discovery.credentials, parts) : null,
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
