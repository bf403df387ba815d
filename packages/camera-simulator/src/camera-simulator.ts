import { DiscoveryResponder, type ResponderPlace } from "./discovery/discovery-responder.ts";
import { DISCOVERY_PORT } from "./discovery/ws-discovery.ts";
import { SimulatorError } from "./errors.ts";
import { RunningCamera } from "./simulated-camera.ts";
import type { ClipOptions } from "./source/clip-cache.ts";
import { openSource } from "./source/open-source.ts";
import { VideoCache } from "./source/video-cache.ts";
import type { CameraOptions, SimulatedCamera, SimulatorOptions } from "./types.ts";

/**
 * Plays files and drawn pictures as ONVIF/RTSP cameras. One simulator holds many cameras; each has its own two
 * ports, as separate devices have, and they share one WS-Discovery responder an interface.
 */
export class CameraSimulator {
  readonly #cache: VideoCache;
  readonly #log: NonNullable<SimulatorOptions["log"]>;
  readonly #discoveryPort: number;
  readonly #cameras = new Set<RunningCamera>();
  readonly #responders = new Map<string, Promise<DiscoveryResponder>>();
  readonly #stop = new AbortController();

  constructor(options: SimulatorOptions) {
    this.#log = options.log ?? (() => undefined);
    this.#cache = new VideoCache(options.cacheDir, this.#log);
    this.#discoveryPort = options.discoveryPort ?? DISCOVERY_PORT;
  }

  get cameras(): readonly SimulatedCamera[] {
    return [...this.#cameras];
  }

  /**
   * Starts a camera. A file is converted first, unless it is in the cache.
   *
   * @throws SimulatorError with the code of what is wrong; nothing of the camera is left then
   */
  async start(options: CameraOptions, signal?: AbortSignal): Promise<SimulatedCamera> {
    const stop = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
    stop.throwIfAborted();
    const place = placeOf(options);
    const source = await openSource(options.source, this.#cache, stop);
    const responder = place ? await this.#responder(place) : undefined;
    let leave = (): void => undefined;
    const onStop = (stopped: RunningCamera): void => {
      leave();
      this.#cameras.delete(stopped);
    };
    const parts = {
      source,
      log: this.#log,
      onStop,
      prepareClip: (clip: ClipOptions) => this.#cache.prepareClip(clip, stop),
    };
    const camera = await RunningCamera.start(options, parts);
    if (stop.aborted) {
      await camera.stop();
      stop.throwIfAborted();
    }
    this.#cameras.add(camera);
    if (responder) {
      const device = camera.discoverable;
      leave = () => responder.remove(device);
      responder.add(device);
    }
    return camera;
  }

  /** Stops all cameras and the responders. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#cameras].map((camera) => camera.stop()));
    for (const responder of this.#responders.values()) (await responder.catch(() => undefined))?.stop();
    this.#responders.clear();
  }

  #responder(place: ResponderPlace): Promise<DiscoveryResponder> {
    const key = place.family === 4 ? place.address : `%${place.zone}`;
    const existing = this.#responders.get(key);
    if (existing) return existing;
    const responder = new DiscoveryResponder(place, this.#discoveryPort);
    const started = responder.start().then(() => responder);
    this.#responders.set(key, started);
    started.catch(() => this.#responders.delete(key));
    return started;
  }
}

/** @throws SimulatorError SIMULATOR_OPTIONS_INVALID */
function placeOf({
  discovery,
  discoveryInterface,
  host = "127.0.0.1",
}: CameraOptions): ResponderPlace | null {
  if (discoveryInterface !== undefined && host.includes(":")) return { family: 6, zone: discoveryInterface };
  if (discoveryInterface !== undefined || (discovery && host.includes(":")))
    throw new SimulatorError(
      "SIMULATOR_OPTIONS_INVALID",
      "`discovery` goes with an IPv4 host, `discoveryInterface` with an IPv6 one",
    );
  return discovery ? { family: 4, address: host } : null;
}
