import type { MediaDemand, Sampling, StreamProfile } from "@huishi/contracts";
import { type Clock, sleep, supervise } from "@huishi/kernel";
import { DemandLeases } from "../domain/demand-leases.ts";
import type { CameraKeeper, CameraStanding } from "./camera-keeper.ts";
import type { Discovery, FoundDevice, Log, TapListener } from "./ports.ts";

/** How often running leases are looked at when no message comes. */
const LEASE_CHECK_MS = 1_000;
const DISCOVERY_INTERVAL_MS = 60_000;
/** Looking after a camera does not fail; if it does all the same, it is begun again. */
const KEEPER_RETRY = { baseDelayMs: 1_000, maxDelayMs: 60_000, healthyAfterMs: 60_000 };

export interface FleetOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly discovery: Discovery | null;
  /** Default a minute. */
  readonly discoveryIntervalMs?: number | undefined;
  /** Cameras from the configuration. */
  readonly configured: readonly KeeperFactory[];
  /** Hosts and ports of configured cameras: found ones among them are no news. */
  readonly configuredAddresses: ReadonlySet<string>;
  /** Told of each camera's streams when they can be had. */
  readonly taps?: readonly TapListener[];
  /** Makes a keeper for a discovered camera; null when discovered cameras are only reported. */
  readonly adopt: ((device: FoundDevice) => KeeperFactory) | null;
}

/** A camera of the centre's configuration. */
export interface ConfiguredCamera {
  readonly id: string;
  /** Changes whenever the camera must be begun anew. */
  readonly version: string;
  /** Host and port under which discovery would find it; empty when it would not. */
  readonly address: string;
  readonly factory: KeeperFactory;
}

interface RunningCamera extends Omit<ConfiguredCamera, "id"> {
  readonly stop: AbortController;
  ended: Promise<void>;
}

/** Makes the keeper of one camera; it calls `onIdentified` when the camera got its id. */
export type KeeperFactory = (onIdentified: (cameraId: string) => void) => CameraKeeper;

/** All cameras of this agent, and which of their streams are wanted. */
export class CameraFleet {
  readonly #options: FleetOptions;
  readonly #leases = new DemandLeases();
  readonly #keepers = new Set<CameraKeeper>();
  readonly #running = new Set<Promise<void>>();
  readonly #found = new Map<string, { onvifUrl: string; stop: AbortController }>();
  readonly #configured = new Map<string, RunningCamera>();
  #signal: AbortSignal = AbortSignal.abort();
  #isRunning = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get mediaDropped(): number {
    let dropped = 0;
    for (const keeper of this.#keepers) dropped += keeper.mediaDropped;
    return dropped;
  }

  /** Every camera as it is known now. */
  describe(): CameraStanding[] {
    return [...this.#keepers].map((keeper) => keeper.describe());
  }

  get cameraIds(): string[] {
    return [...this.#keepers].flatMap((keeper) => (keeper.cameraId === null ? [] : [keeper.cameraId]));
  }

  /** Runs until the signal aborts, and resolves when every camera is at rest. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#isRunning = true;
    for (const entry of this.#configured.values()) this.#startConfigured(entry);
    for (const factory of this.#options.configured) void this.#start(factory, signal);
    await Promise.all([this.#watchLeases(signal), this.#discover(signal)]);
    await Promise.all(this.#running);
  }

  /**
   * The cameras that the centre configured: new ones start, those that are gone or changed (`version`) stop, the others
   * are not touched. Resolves when those that had to stop are at rest.
   */
  async setConfigured(cameras: readonly ConfiguredCamera[]): Promise<void> {
    const wanted = new Map(cameras.map((camera) => [camera.id, camera]));
    const leaving = [...this.#configured].filter(([id, { version }]) => wanted.get(id)?.version !== version);
    for (const [id, { stop }] of leaving) {
      stop.abort(new Error("the camera's configuration changed"));
      this.#configured.delete(id);
    }
    await Promise.all(leaving.map(([, { ended }]) => ended));
    for (const { id, version, address, factory } of cameras) {
      if (this.#configured.has(id)) continue;
      const stop = new AbortController();
      const entry = { version, address, factory, stop, ended: Promise.resolve() };
      this.#configured.set(id, entry);
      if (this.#isRunning) this.#startConfigured(entry);
    }
  }

  #startConfigured(entry: RunningCamera): void {
    entry.ended = this.#start(entry.factory, AbortSignal.any([this.#signal, entry.stop.signal]));
  }

  /** The centre's demand for one camera; null clears it. */
  demand(cameraId: string, demand: MediaDemand | null, isRetained: boolean): void {
    this.#leases.apply(cameraId, demand, this.#options.clock.nowMs(), isRetained);
    this.#applyDemands();
  }

  #start(factory: KeeperFactory, signal: AbortSignal): Promise<void> {
    let isTapped = false;
    const { taps = [] } = this.#options;
    const keeper = factory(() => {
      this.#applyDemands();
      if (isTapped) return;
      isTapped = true;
      for (const listener of taps) listener.tapReady(keeper.tap);
    });
    this.#keepers.add(keeper);
    const run = supervise({ name: "camera", run: (s) => keeper.run(s) }, signal, {
      ...KEEPER_RETRY,
      onFailure: ({ error, retryDelayMs }) =>
        this.#options.log.error(
          { cameraId: keeper.cameraId, err: error, retryDelayMs },
          "camera's care failed",
        ),
    }).finally(() => {
      this.#running.delete(run);
      if (isTapped) for (const listener of taps) listener.tapGone(keeper.tap.cameraId);
      if (!this.#signal.aborted) this.#keepers.delete(keeper);
    });
    this.#running.add(run);
    return run;
  }

  #applyDemands(): void {
    const { streams } = this.#leases.wanted(this.#options.clock.nowMs());
    const byCamera = new Map<string, Map<StreamProfile, Sampling>>();
    for (const { cameraId, profile, sampling } of streams) {
      const wanted = byCamera.get(cameraId) ?? new Map<StreamProfile, Sampling>();
      byCamera.set(cameraId, wanted.set(profile, sampling));
    }
    for (const keeper of this.#keepers) {
      if (keeper.cameraId !== null) keeper.setWanted(byCamera.get(keeper.cameraId) ?? new Map());
    }
  }

  async #watchLeases(signal: AbortSignal): Promise<void> {
    await repeat(LEASE_CHECK_MS, signal, async () => this.#applyDemands());
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const { discovery, log, discoveryIntervalMs = DISCOVERY_INTERVAL_MS } = this.#options;
    if (!discovery) return;
    await repeat(discoveryIntervalMs, signal, async () => {
      try {
        for (const device of await discovery.probe(signal)) this.#meet(device);
      } catch (err) {
        if (!signal.aborted) log.warn({ err }, "discovery failed");
      }
    });
  }

  #meet(device: FoundDevice): void {
    const { log, adopt, configuredAddresses } = this.#options;
    const known = this.#found.get(device.endpoint);
    if (known?.onvifUrl === device.onvifUrl) return;
    const { host } = new URL(device.onvifUrl);
    const isConfigured =
      configuredAddresses.has(host) || [...this.#configured.values()].some(({ address }) => address === host);
    const stop = new AbortController();
    this.#found.set(device.endpoint, { onvifUrl: device.onvifUrl, stop });
    const isAdopted = !isConfigured && adopt !== null;
    log.info({ ...device, isConfigured, isAdopted }, known ? "camera has a new address" : "camera found");
    known?.stop.abort(new Error("the camera has a new address"));
    if (isAdopted) void this.#start(adopt(device), AbortSignal.any([this.#signal, stop.signal]));
  }
}

/** Does something now and then every `intervalMs` until the signal aborts. */
export async function repeat(
  intervalMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work();
    await sleep(intervalMs, signal).catch(() => undefined);
  }
}
