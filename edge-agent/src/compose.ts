// How the edge agent is put together: identity, outbox, two connections, cameras; stopped in reverse order.
import type { AgentConfig } from "@huishi/contracts";
import { type Runnable, type SuperviseOptions, supervise, systemClock } from "@huishi/kernel";
import type { Logger } from "@huishi/platform";
import { setMaxListeners } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { MqttEventLink } from "./adapters/mqtt/mqtt-event-link.ts";
import { MqttMediaLink } from "./adapters/mqtt/mqtt-media-link.ts";
import { SqliteOutbox } from "./adapters/sqlite-outbox/sqlite-outbox.ts";
import { CameraRegistryFile } from "./adapters/state-files/camera-registry-file.ts";
import { CameraFleet } from "./application/camera-fleet.ts";
import { type CameraTimings, DEFAULT_CAMERA_TIMINGS } from "./application/camera-keeper.ts";
import type { CommandDesk } from "./application/command-desk.ts";
import type { Configurable } from "./application/configuration.ts";
import { EventRecorder, OutboxRelay } from "./application/outbox-relay.ts";
import { reportStatus, reportStatusRegularly } from "./application/report-status.ts";
import type { SensorKeeper } from "./application/sensor-keeper.ts";
import { composeCentre } from "./compose-centre.ts";
import { composeCommand } from "./compose-command.ts";
import { composeRecording, type RecordingParts } from "./compose-recording.ts";
import {
  type CameraParts,
  configuredAddress,
  configuredKeeper,
  discoveredKeeper,
} from "./compose-cameras.ts";
import { composeHealth } from "./compose-health.ts";
import { composeDiscovery } from "./compose-discovery.ts";
import { composeSensors } from "./compose-sensors.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { EdgeError } from "./domain/faults.ts";
import { UplinkBudget } from "./domain/uplink-budget.ts";
import { VERSION } from "./version.ts";

const LINK_RETRY = { baseDelayMs: 500, maxDelayMs: 30_000, healthyAfterMs: 30_000 };

export type EdgeAgentOptions = EdgeAgentConfig & {
  readonly logger: Logger;
  /** Ends a start that still waits for the centre. */
  readonly signal?: AbortSignal;
  readonly timings?: Partial<CameraTimings>;
  /** Told where a listener for sensors listens. */
  readonly onSensorListening?: (kind: "mqtt" | "http", port: number) => void;
  readonly recordings?: Pick<RecordingParts, "folder" | "policy" | "ring">;
};

/** A running agent. */
export interface EdgeAgent {
  readonly agentId: string;
  /** Where the centre's commands are carried out. */
  readonly commands: Pick<CommandDesk, "register">;
  /** Ids of the cameras that are known so far. */
  readonly cameraIds: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts the agent: waits until the centre has given it an identity (a stored one needs no centre), then runs
 * until `close()`. Needs no inbound port.
 *
 * @throws EdgeError CLAIM_MISSING, CLAIM_REFUSED, CONFIG_INVALID, STATE_DIR, STATE_IN_USE, DISK_FULL
 */
export async function startEdgeAgent(options: EdgeAgentOptions): Promise<EdgeAgent> {
  const { logger: log } = options;
  const clock = systemClock;
  const stop = new AbortController();
  // Every camera waits on it in several places: more than ten listeners are no leak here.
  setMaxListeners(0, stop.signal);
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new EdgeError("STATE_DIR", `the folder ${options.stateDir} cannot be made`, { cause });
  });
  const known = await composeCentre({ ...options, log, signal: options.signal ?? stop.signal });
  const { ca, secret } = known;
  const { agentId } = known.identity;
  const mqttUrl = options.mqttUrl ?? known.identity.mqttUrl;
  const outbox = await openOutbox(options);
  const registry = await CameraRegistryFile.open(options.stateDir, log);
  const recorder = new EventRecorder(outbox, clock, log);
  const media = new MqttMediaLink(
    {
      agentId,
      mqttUrl,
      get secret() {
        return secret.current;
      },
    },
    ca,
  );
  const events = new MqttEventLink({
    centre: {
      onConfig: (config) => command.centre.onConfig(config),
      onUnreadableConfig: (revision, why) => command.centre.onUnreadableConfig?.(revision, why),
      onCommand: (given) => command.centre.onCommand(given),
      onConnected: () => command.centre.onConnected?.(),
    },
    identity: {
      agentId,
      mqttUrl,
      get secret() {
        return secret.offer();
      },
    },
    clock,
    log,
    ca,
    acknowledgement: options.acknowledgement ?? "puback",
    onDemand: (cameraId, demand, isRetained) => fleet.demand(cameraId, demand, isRetained),
  });
  const budget = new UplinkBudget();
  const health = composeHealth({
    recorder,
    clock,
    log,
    isWatched: (cameraId) =>
      (options.watchPictures ?? true) && isWatched(command.configuration.current, cameraId),
  });
  const found = await composeDiscovery({ ...options, log, clock, recorder });
  const parts: CameraParts = {
    clock,
    log,
    recorder,
    link: media,
    budget,
    findings: health.board,
    registry,
    timings: { ...DEFAULT_CAMERA_TIMINGS, ...options.timings },
    guard: found.guard,
    locate: (key) => found.watch.locate(key)?.onvifUrl ?? null,
    signIns: found.signIns,
    controls: new Map(),
  };
  const command = await composeCommand({
    log,
    stateDir: options.stateDir,
    replies: events,
    known,
    cameras: parts,
    localIds: new Set(options.cameras.flatMap(({ id }) => id ?? [])),
    behindBroker: options.acknowledgement === "application",
    fleet: () => fleet,
    onState: () => void reportStatus(status, true).catch(() => undefined),
  });
  const recordings = await composeRecording({
    ...options.recordings,
    stateDir: options.stateDir,
    agentId,
    keys: known.keys.sign,
    clock,
    log,
    link: media,
    budget,
    desk: command.desk,
    record: (event) => recorder.record(event),
    ...(options.recordingsDir === undefined ? {} : { folder: options.recordingsDir }),
  });
  command.configuration.add(recordings.configurable);
  const { discovery } = options;
  const fleet = new CameraFleet({
    clock,
    log,
    discovery: discovery.enabled ? found.watch : null,
    discoveryIntervalMs: discovery.intervalMs,
    configured: options.cameras.map((camera) => configuredKeeper(camera, parts)),
    taps: [health.watch, recordings.recording],
    configuredAddresses: new Set(options.cameras.map(configuredAddress)),
    adopt:
      discovery.adopt === true ? (device) => discoveredKeeper(device, discovery.credentials, parts) : null,
  });

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

  const status = {
    link: events,
    outbox,
    clock,
    version: VERSION,
    log,
    config: () => command.configuration.state,
    mediaDropped: () => fleet.mediaDropped,
    recording: () => recordings.ring.state(),
  };
  await command.start();

  // The cameras and sensors stop first, so that what they report last still goes out.
  const devices = Promise.all([
    fleet.run(stop.signal),
    sensors.run(stop.signal),
    health.watch.run(stop.signal),
  ]);
  const linkStop = new AbortController();
  const run = (runnable: Runnable): Promise<void> => supervise(runnable, linkStop.signal, linkRetry(log));
  const relay = new OutboxRelay(outbox, events);
  const running = Promise.all([
    run({ name: "event connection", run: (signal) => command.runConnection((s) => events.run(s), signal) }),
    run({ name: "media connection", run: (signal) => media.run(signal) }),
    run({ name: "outbox relay", run: (signal) => relay.run(signal) }),
    reportStatusRegularly(status, linkStop.signal),
  ]);
  log.info({ agentId, cameras: options.cameras.length }, "edge agent runs");

  return {
    agentId,
    commands: command.desk,
    get cameraIds() {
      return fleet.cameraIds;
    },
    async close() {
      stop.abort(new Error("the agent stops"));
      await command.close();
      await devices;
      health.decoder.close();
      await recordings.close();
      linkStop.abort(new Error("the agent stops"));
      await running;
      await recorder.settle();
      await outbox.close();
    },
  };
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

function openOutbox(options: EdgeAgentOptions): Promise<SqliteOutbox> {
  const { stateDir, logger, outboxMaxBytes, outboxMaxEvents, outboxMaxAgeMs } = options;
  return SqliteOutbox.open({
    folder: join(stateDir, "outbox"),
    log: logger,
    ...(outboxMaxBytes === undefined ? {} : { maxBytes: outboxMaxBytes }),
    ...(outboxMaxEvents === undefined ? {} : { maxEvents: outboxMaxEvents }),
    ...(outboxMaxAgeMs === undefined ? {} : { maxAgeMs: outboxMaxAgeMs }),
  });
}

function linkRetry(log: Logger): SuperviseOptions {
  return {
    ...LINK_RETRY,
    onFailure: ({ name, error, retryDelayMs }) =>
      log.warn({ connection: name, err: error, retryDelayMs }, "connection to the centre lost"),
  };
}
