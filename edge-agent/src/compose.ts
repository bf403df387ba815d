// How the edge agent is put together: identity, outbox, two connections, cameras; stopped in reverse order.
import { type Runnable, type SuperviseOptions, supervise, systemClock } from "@huishi/kernel";
import type { Logger } from "@huishi/platform";
import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { claimAgent } from "./adapters/http/claim-client.ts";
import { MqttEventLink } from "./adapters/mqtt/mqtt-event-link.ts";
import { MqttMediaLink } from "./adapters/mqtt/mqtt-media-link.ts";
import { SqliteOutbox } from "./adapters/sqlite-outbox/sqlite-outbox.ts";
import { CameraRegistryFile } from "./adapters/state-files/camera-registry-file.ts";
import { IdentityFile } from "./adapters/state-files/identity-file.ts";
import { CameraFleet } from "./application/camera-fleet.ts";
import { type CameraTimings, DEFAULT_CAMERA_TIMINGS } from "./application/camera-keeper.ts";
import { obtainIdentity } from "./application/claim-identity.ts";
import { EventRecorder, OutboxRelay } from "./application/outbox-relay.ts";
import { reportStatusRegularly } from "./application/report-status.ts";
import {
  type CameraParts,
  configuredAddress,
  configuredKeeper,
  discoveredKeeper,
} from "./compose-cameras.ts";
import { composeDiscovery } from "./compose-discovery.ts";
import { composeSensors } from "./compose-sensors.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { EdgeError } from "./domain/faults.ts";
import { UplinkBudget } from "./domain/uplink-budget.ts";

const VERSION = "0.1.0";
const LINK_RETRY = { baseDelayMs: 500, maxDelayMs: 30_000, healthyAfterMs: 30_000 };

export type EdgeAgentOptions = EdgeAgentConfig & {
  readonly logger: Logger;
  /** Ends a start that still waits for the centre. */
  readonly signal?: AbortSignal;
  readonly timings?: Partial<CameraTimings>;
  /** Told where a listener for sensors listens. */
  readonly onSensorListening?: (kind: "mqtt" | "http", port: number) => void;
};

/** A running agent. */
export interface EdgeAgent {
  readonly agentId: string;
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
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new EdgeError("STATE_DIR", `the folder ${options.stateDir} cannot be made`, { cause });
  });
  const ca = await certificateAuthority(options.mqttCaFile);
  const stored = await obtainIdentity({
    store: new IdentityFile(options.stateDir),
    claim: claimRequester(options),
    log,
    signal: options.signal ?? stop.signal,
  });
  const identity = options.mqttUrl === undefined ? stored : { ...stored, mqttUrl: options.mqttUrl };
  const outbox = await openOutbox(options);
  const registry = await CameraRegistryFile.open(options.stateDir, log);
  const recorder = new EventRecorder(outbox, clock, log);
  const media = new MqttMediaLink(identity, ca);
  const events = new MqttEventLink({
    identity,
    clock,
    log,
    ca,
    acknowledgement: options.acknowledgement ?? "puback",
    onDemand: (cameraId, demand, isRetained) => fleet.demand(cameraId, demand, isRetained),
  });
  const found = await composeDiscovery({ ...options, log, clock, recorder });
  const parts: CameraParts = {
    clock,
    log,
    recorder,
    link: media,
    budget: new UplinkBudget(),
    registry,
    timings: { ...DEFAULT_CAMERA_TIMINGS, ...options.timings },
    guard: found.guard,
    locate: (key) => found.watch.locate(key)?.onvifUrl ?? null,
    signIns: found.signIns,
    controls: new Map(),
  };
  const { discovery } = options;
  const fleet = new CameraFleet({
    clock,
    log,
    discovery: discovery.enabled ? found.watch : null,
    discoveryIntervalMs: discovery.intervalMs,
    configured: options.cameras.map((camera) => configuredKeeper(camera, parts)),
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

  // The cameras and sensors stop first, so that what they report last still goes out.
  const devices = Promise.all([fleet.run(stop.signal), sensors.run(stop.signal)]);
  const linkStop = new AbortController();
  const run = (runnable: Runnable): Promise<void> => supervise(runnable, linkStop.signal, linkRetry(log));
  const relay = new OutboxRelay(outbox, events);
  const status = {
    link: events,
    outbox,
    clock,
    version: VERSION,
    log,
    mediaDropped: () => fleet.mediaDropped,
  };
  const running = Promise.all([
    run({ name: "event connection", run: (signal) => events.run(signal) }),
    run({ name: "media connection", run: (signal) => media.run(signal) }),
    run({ name: "outbox relay", run: (signal) => relay.run(signal) }),
    reportStatusRegularly(status, linkStop.signal),
  ]);
  log.info({ agentId: identity.agentId, cameras: options.cameras.length }, "edge agent runs");

  return {
    agentId: identity.agentId,
    get cameraIds() {
      return fleet.cameraIds;
    },
    async close() {
      stop.abort(new Error("the agent stops"));
      await devices;
      linkStop.abort(new Error("the agent stops"));
      await running;
      await recorder.settle();
      await outbox.close();
    },
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

async function certificateAuthority(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const pem = await readFile(file, "utf8").catch(() => "");
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new EdgeError("CONFIG_INVALID", `/mqttCaFile ${file} is no readable PEM certificate`);
}

function claimRequester(options: EdgeAgentOptions) {
  const { claimCode, serverUrl } = options;
  if (claimCode === undefined) return null;
  const name = options.name ?? (hostname() || randomUUID());
  return (signal: AbortSignal) => claimAgent({ serverUrl, code: claimCode, name }, signal);
}

function linkRetry(log: Logger): SuperviseOptions {
  return {
    ...LINK_RETRY,
    onFailure: ({ name, error, retryDelayMs }) =>
      log.warn({ connection: name, err: error, retryDelayMs }, "connection to the centre lost"),
  };
}
