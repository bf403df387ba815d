import {
  AgentSensorSchema,
  DisplayName,
  Id,
  MAX_CLAIM_TEXT,
  NetworkSchema,
  RecordingPolicySchema,
  StreamProfileSchema,
} from "@huishi/contracts";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, resolve } from "node:path";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { EdgeError } from "./domain/faults.ts";
import { parseRtspAddress } from "./domain/rtsp-address.ts";
import { planSensors } from "./domain/sensors/sensor-plan.ts";
import { readSensorListeners, SensorListenersSchema } from "./sensor-config.ts";
import { type StatusPageConfig, statusPageOf, StatusPageSchema } from "./status-page-config.ts";

const Secret = Type.String({ maxLength: 256 });
const ScanPorts = Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), { maxItems: 8 });
const Url = Type.String({ minLength: 1, maxLength: 2048 });
const credentials = {
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  password: Type.Optional(Secret),
  /** File whose first line is the password; relative to the configuration file. */
  passwordFile: Type.Optional(Type.String({ minLength: 1 })),
};

/** A camera by its address: an ONVIF device service, or RTSP streams of any other device. */
const CameraConfigSchema = Type.Object(
  {
    id: Type.Optional(Id),
    name: Type.Optional(DisplayName),
    onvif: Type.Optional(Url),
    rtsp: Type.Optional(Type.Object({ main: Url, sub: Type.Optional(Url) }, { additionalProperties: false })),
    /** Key of a device that the agent found: followed to whatever address it has. */
    device: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    ...credentials,
    note: Type.Optional(Type.String({ maxLength: 200 })),
    /** Streams that are kept in the ring buffer; the camera needs an id then. Default none. */
    record: Type.Optional(Type.Array(StreamProfileSchema, { uniqueItems: true, maxItems: 2 })),
  },
  { additionalProperties: false },
);
export type CameraConfig = Static<typeof CameraConfigSchema>;

const EdgeAgentConfigSchema = Type.Object(
  {
    stateDir: Type.String({ minLength: 1 }),
    /** HTTP address of the centre's API, for claiming. */
    serverUrl: Url,
    /** The one-time code, or (https) the whole claim text `huishi-claim:v1:...`, which names host and authority too. */
    claimCode: Type.Optional(Type.String({ minLength: 20, maxLength: MAX_CLAIM_TEXT })),
    /** Plain HTTP to another machine: the agent's secret can be read on the way. */
    allowPlain: Type.Optional(Type.Boolean()),
    /** The agent's name at the centre. */
    name: Type.Optional(DisplayName),
    /** Instead of the one the centre names. */
    mqttUrl: Type.Optional(Url),
    cameras: Type.Array(CameraConfigSchema, { maxItems: 500 }),
    /** Sensors of this site that the centre need not configure. */
    sensors: Type.Optional(Type.Array(AgentSensorSchema, { maxItems: 2_000 })),
    sensorListeners: Type.Optional(SensorListenersSchema),
    discovery: Type.Object(
      {
        enabled: Type.Boolean(),
        /** IPv4 address of the interface to probe on; default: the system's choice. */
        interfaceAddress: Type.Optional(Type.String({ pattern: "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$" })),
        /** UDP port of the devices; default 3702 (WS-Discovery). */
        port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
        /** Pause between two rounds of probes; default a minute. */
        intervalMs: Type.Optional(Type.Integer({ minimum: 1_000 })),
        /**
         * Take over whatever is found, with these credentials: a person's choice for a network of nothing but one's own
         * cameras. Default: what is found goes into quarantine and is never signed in to.
         */
        adopt: Type.Optional(Type.Boolean()),
        credentials: Type.Optional(Type.Object(credentials, { additionalProperties: false })),
        /** The site's own networks; default: private and link-local IPv6 ones. */
        networks: Type.Optional(Type.Array(NetworkSchema, { maxItems: 64 })),
        /** Ports that a scan asks; default 80, 8000, 8080 and 554, 8554. */
        onvifPorts: Type.Optional(ScanPorts),
        rtspPorts: Type.Optional(ScanPorts),
      },
      { additionalProperties: false },
    ),
    /** PEM file of the certificate authority that `mqtts:` servers are checked against; relative to this file. */
    mqttCaFile: Type.Optional(Type.String({ minLength: 1 })),
    /** `application` where a broker stands between agent and centre: its PUBACK says nothing about the database. */
    acknowledgement: Type.Optional(Type.Union([Type.Literal("puback"), Type.Literal("application")])),
    /** How much of the disk video may take, for how long; the centre's configuration goes before it. Default 64 GiB. */
    recording: Type.Optional(RecordingPolicySchema),
    /** Where video is kept; default below the state folder. */
    recordingsDir: Type.Optional(Type.String({ minLength: 1 })),
    /** Whether pictures are looked at for faults (frozen, black, blurred ...); default true. Needs ffmpeg. */
    watchPictures: Type.Optional(Type.Boolean()),
    /** A page for the installer; none without it. */
    statusPage: Type.Optional(StatusPageSchema),
    /** The log files' size together; default 32 MiB. */
    logMaxBytes: Type.Optional(Type.Integer({ minimum: 1024 * 1024, maximum: 1024 ** 4 })),
    /** Bounds of the outbox; default 1 GiB, 1,000,000 events, 30 days of running time. */
    outboxMaxBytes: Type.Optional(Type.Integer({ minimum: 1024 * 1024 })),
    outboxMaxEvents: Type.Optional(Type.Integer({ minimum: 1_000 })),
    outboxMaxAgeMs: Type.Optional(Type.Integer({ minimum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type EdgeAgentConfig = Static<typeof EdgeAgentConfigSchema>;

const compiled = Compile(EdgeAgentConfigSchema);

/**
 * Checks a configuration as a person wrote it. Messages name the wrong field by its path and never repeat its
 * value, which may be a password.
 *
 * @throws EdgeError CONFIG_INVALID
 */
export function parseConfig(value: unknown): EdgeAgentConfig {
  const fault = compiled.Errors(value)[0];
  if (fault) throw invalid(fault.instancePath || "/", fault.message);
  const config = value as EdgeAgentConfig;
  checkUrl(config.serverUrl, "/serverUrl", ["http:", "https:"]);
  if (config.mqttUrl !== undefined) checkUrl(config.mqttUrl, "/mqttUrl", ["mqtt:", "mqtts:"]);
  config.cameras.forEach((camera, i) => checkCamera(camera, `/cameras/${i}`));
  const unnamed = config.cameras.findIndex(({ id, record }) => record !== undefined && id === undefined);
  if (unnamed >= 0) throw invalid(`/cameras/${unnamed}/id`, "a camera that is recorded needs an id");
  const ids = config.cameras.flatMap((camera) => camera.id ?? []);
  const doubled = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (doubled >= 0) throw invalid("/cameras", `the id ${ids[doubled]} stands there twice`);
  planSensors(config.sensors ?? []);
  return config;
}

function checkCamera(camera: CameraConfig, path: string): void {
  const sources = [camera.onvif, camera.rtsp, camera.device].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    throw invalid(path, "exactly one of onvif, rtsp and device must be given");
  }
  if (camera.onvif !== undefined) checkUrl(camera.onvif, `${path}/onvif`, ["http:", "https:"]);
  for (const [name, url] of Object.entries(camera.rtsp ?? {})) {
    try {
      parseRtspAddress(url);
    } catch {
      throw invalid(`${path}/rtsp/${name}`, "must be an rtsp:// or rtsps:// address");
    }
  }
}

function checkUrl(text: string, path: string, protocols: readonly string[]): void {
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw invalid(path, `must be a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}`);
  }
}

function invalid(path: string, message: string): EdgeError {
  return new EdgeError("CONFIG_INVALID", `${path} ${message}`, { details: { path } });
}

/**
 * What the environment says over the file: HUISHI_MQTT_ACK (`puback` or `application`) and HUISHI_MQTT_CA (path of a
 * PEM file). A variable that is empty says nothing.
 *
 * @throws EdgeError CONFIG_INVALID
 */
export function withEnvironment(
  config: EdgeAgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): EdgeAgentConfig {
  const { HUISHI_MQTT_ACK: acknowledgement, HUISHI_MQTT_CA: caFile } = env;
  if (acknowledgement && acknowledgement !== "puback" && acknowledgement !== "application") {
    throw new EdgeError("CONFIG_INVALID", "HUISHI_MQTT_ACK must be puback or application");
  }
  return {
    ...config,
    ...(acknowledgement ? { acknowledgement: acknowledgement as "puback" | "application" } : {}),
    ...(caFile ? { mqttCaFile: resolve(caFile) } : {}),
  };
}

/** Reads and checks a configuration file; relative paths in it start from its folder. */
export async function loadConfig(file: string): Promise<EdgeAgentConfig> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? "is not valid JSON" : "cannot be read";
    throw new EdgeError("CONFIG_INVALID", `the configuration file ${file} ${why}`);
  }
  const config = parseConfig(value);
  const folder = dirname(resolve(file));
  const { credentials } = config.discovery;
  return {
    ...config,
    stateDir: resolve(folder, config.stateDir),
    ...(config.mqttCaFile === undefined ? {} : { mqttCaFile: resolve(folder, config.mqttCaFile) }),
    cameras: await Promise.all(
      config.cameras.map((camera, i) => withPassword(camera, folder, `/cameras/${i}`)),
    ),
    ...(config.sensorListeners && {
      sensorListeners: await readSensorListeners(config.sensorListeners, folder, (account, path) =>
        withPassword(account, folder, path),
      ),
    }),
    ...(config.statusPage && { statusPage: await readStatusPage(config.statusPage, folder) }),
    discovery: credentials
      ? {
          ...config.discovery,
          credentials: await withPassword(credentials, folder, "/discovery/credentials"),
        }
      : config.discovery,
  };
}

/** @throws EdgeError CONFIG_INVALID, STATUS_PAGE_OPEN */
async function readStatusPage(config: StatusPageConfig, folder: string): Promise<StatusPageConfig> {
  const read = await withPassword(config, folder, "/statusPage");
  statusPageOf(read);
  return read;
}

async function withPassword<T extends { password?: string; passwordFile?: string }>(
  account: T,
  folder: string,
  path: string,
): Promise<T> {
  if (account.passwordFile === undefined) return account;
  const file = isAbsolute(account.passwordFile)
    ? account.passwordFile
    : resolve(folder, account.passwordFile);
  try {
    return { ...account, password: (await readFile(file, "utf8")).split(/\r?\n/, 1)[0] ?? "" };
  } catch {
    throw invalid(`${path}/passwordFile`, "names a file that cannot be read");
  }
}
