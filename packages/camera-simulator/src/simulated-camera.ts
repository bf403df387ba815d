/** One camera put together: source, RTSP server, ONVIF server. */
import { createHash, randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { messageOf, slugify, supervise } from "@huishi/kernel";
import type { DiscoverableDevice } from "./discovery/ws-discovery.ts";
import { SimulatorError } from "./errors.ts";
import { type Credentials, DigestAuthenticator } from "./http/digest-auth.ts";
import { scopesOf } from "./onvif/device-service.ts";
import { EventBroker } from "./onvif/event-broker.ts";
import { CameraFaultSwitches } from "./faults/camera-faults.ts";
import { OnvifServer } from "./onvif/onvif-server.ts";
import { PtzState } from "./onvif/ptz-state.ts";
import { RtspServer } from "./rtsp/rtsp-server.ts";
import type { ClipOptions } from "./source/clip-cache.ts";
import type { CodedClip } from "./source/coded-clip.ts";
import type { VideoSource } from "./source/video-stream.ts";
import type { CameraOptions, CameraStatistics, PtzCommand, SimulatedCamera } from "./types.ts";

const DEFAULT_SESSION_TIMEOUT_MS = 60_000;
const FIRST_PICTURE_WAIT_MS = 15_000;

interface CameraParts {
  readonly source: VideoSource;
  readonly log: Log;
  readonly onStop: (camera: RunningCamera) => void;
  readonly prepareClip: (options: ClipOptions) => Promise<CodedClip>;
}

type Log = (fields: Record<string, unknown>, message: string) => void;

/** An address that others can reach us by, for a camera that listens everywhere. */
function reachableHost(host: string): string {
  if (host !== "0.0.0.0" && host !== "::") return host.replace(/%.*$/, "");
  const family = host === "::" ? "IPv6" : "IPv4";
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((entry) => entry && entry.family === family && !entry.internal);
  const found = others.find((entry) => !entry?.address.startsWith("fe80:")) ?? others[0];
  return found?.address ?? (host === "::" ? "::1" : "127.0.0.1");
}

/** A version 5 UUID (RFC 9562 §5.5) of the serial: the same camera keeps its address over restarts. */
function endpointAddressOf(serial: string): string {
  const hash = createHash("sha1").update(`huishi-simulator:${serial}`).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** @throws SimulatorError SIMULATOR_OPTIONS_INVALID */
function credentialsOf(options: CameraOptions): Credentials | undefined {
  const { username, password } = options;
  if (username === undefined && password === undefined) return undefined;
  if (!username || !password || username.includes(":")) {
    throw new SimulatorError(
      "SIMULATOR_OPTIONS_INVALID",
      "give both a username (without a colon) and a password, or neither",
    );
  }
  return { username, password };
}

export class RunningCamera implements SimulatedCamera {
  readonly name: string;
  readonly serial: string;
  readonly endpointAddress: string;
  readonly faults: CameraFaultSwitches;
  readonly #source: VideoSource;
  readonly #rtsp: RtspServer;
  readonly #onvif: OnvifServer;
  readonly #events: EventBroker;
  readonly #ptz: PtzState;
  readonly #hostInUrl: string;
  readonly #model: string;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #onStop: (camera: RunningCamera) => void;
  #playing: Promise<void> | undefined;

  private constructor(
    options: CameraOptions,
    { source, log, onStop, prepareClip }: CameraParts,
    rtsp: RtspServer,
    credentials: Credentials | undefined,
    authenticator: DigestAuthenticator | undefined,
  ) {
    const host = options.host ?? "127.0.0.1";
    this.name = options.name;
    this.serial = options.serial ?? (slugify(options.name) || "camera");
    this.endpointAddress = endpointAddressOf(this.serial);
    this.#source = source;
    this.#log = log;
    this.#onStop = onStop;
    this.#rtsp = rtsp;
    this.faults = new CameraFaultSwitches(rtsp.faults, source, prepareClip);
    this.#model = options.model ?? "Simulated camera";
    this.#hostInUrl = host.includes(":") ? `[${reachableHost(host)}]` : reachableHost(host);
    const nowMs = (): number => Date.now();
    this.#events = new EventBroker(nowMs, () => randomBytes(16).toString("hex"));
    this.#ptz = new PtzState(nowMs);
    this.#onvif = new OnvifServer({
      host,
      port: options.onvifPort ?? 0,
      credentials,
      authenticator,
      context: {
        name: this.name,
        serial: this.serial,
        manufacturer: options.manufacturer ?? "Huishi",
        model: this.#model,
        username: credentials?.username,
        endpointAddress: this.endpointAddress,
        main: source.main,
        sub: source.sub,
        rtspPort: rtsp.port,
        ptz: this.#ptz,
        events: this.#events,
        nowMs,
      },
    });
  }

  /**
   * Starts servers and source, and waits for the first picture.
   *
   * @throws SimulatorError SIMULATOR_PORT_UNAVAILABLE, SIMULATOR_OPTIONS_INVALID, FFMPEG_MISSING, ENCODER_FAILED
   */
  static async start(options: CameraOptions, parts: CameraParts): Promise<RunningCamera> {
    const { source } = parts;
    const credentials = credentialsOf(options);
    const authenticator = credentials
      ? new DigestAuthenticator(credentials, randomBytes(32), Date.now)
      : undefined;
    const rtsp = new RtspServer({
      name: options.name,
      streams: new Map([
        ["main", source.main],
        ["sub", source.sub],
      ]),
      host: options.host ?? "127.0.0.1",
      port: options.rtspPort ?? 0,
      authenticator,
      sessionTimeoutMs: options.rtspSessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
    });
    await rtsp.start();
    const camera = new RunningCamera(options, parts, rtsp, credentials, authenticator);
    try {
      await camera.#onvif.start();
      await camera.#startPlaying();
      return camera;
    } catch (error) {
      await camera.stop();
      throw error;
    }
  }

  /** Resolves with the first picture; rejects with what the source failed of when none comes. */
  async #startPlaying(): Promise<void> {
    let reject: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, fail) => (reject = fail));
    failed.catch(() => undefined);
    let lastError: unknown;
    this.#playing = supervise(
      { name: `source of ${this.name}`, run: (signal) => this.#source.run(signal) },
      this.#stop.signal,
      {
        baseDelayMs: 200,
        maxDelayMs: 5000,
        healthyAfterMs: 10_000,
        onFailure: ({ error, retryDelayMs }) => {
          lastError = error;
          this.#log(
            { camera: this.name, err: messageOf(error), retryDelayMs },
            "the picture source of a simulated camera failed",
          );
          if (error instanceof SimulatorError && error.code === "FFMPEG_MISSING") reject(error);
        },
      },
    );
    const timer = setTimeout(
      () =>
        reject(lastError ?? new SimulatorError("ENCODER_FAILED", `${this.name} gave no picture within 15 s`)),
      FIRST_PICTURE_WAIT_MS,
    );
    try {
      await Promise.race([Promise.all([this.#source.main.ready(), this.#source.sub.ready()]), failed]);
    } finally {
      clearTimeout(timer);
    }
  }

  get onvifUrl(): string {
    return `http://${this.#hostInUrl}:${this.#onvif.port}/onvif/device_service`;
  }

  get rtspMainUrl(): string {
    return `rtsp://${this.#hostInUrl}:${this.#rtsp.port}/main`;
  }

  get rtspSubUrl(): string {
    return `rtsp://${this.#hostInUrl}:${this.#rtsp.port}/sub`;
  }

  get snapshotUrl(): string {
    return `http://${this.#hostInUrl}:${this.#onvif.port}/snapshot/main.jpg`;
  }

  get discoverable(): DiscoverableDevice {
    return {
      endpointAddress: this.endpointAddress,
      scopes: scopesOf(this.name, this.#model),
      xaddr: this.onvifUrl,
    };
  }

  get ptzCommands(): readonly PtzCommand[] {
    return this.#ptz.commands;
  }

  statistics(): CameraStatistics {
    const rtsp = this.#rtsp.statistics;
    return {
      ...rtsp,
      failedSignIns: rtsp.failedSignIns + this.#onvif.failedSignIns,
      eventSubscriptions: this.#events.size,
    };
  }

  setMotion(isMotion: boolean): void {
    this.#events.setMotion(isMotion);
  }

  freeze(on = true): void {
    this.#source.main.freeze(on);
    this.#source.sub.freeze(on);
  }

  stopPackets(on = true): void {
    this.#rtsp.stopPackets(on);
  }

  dropClients(): void {
    this.#rtsp.dropClients();
  }

  refuseAuth(on = true): void {
    this.#rtsp.refuseAuth(on);
    this.#onvif.refuseAuth(on);
  }

  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#onStop(this);
    this.#stop.abort();
    await Promise.all([this.#rtsp.stop(), this.#onvif.stop(), this.#playing]);
  }
}
