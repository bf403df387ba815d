import {
  type AccessUnit,
  type AccessUnitListener,
  DEMAND_LINGER_MS,
  type DemandListener,
  type MediaBus,
  type SceneFrame,
  type SceneListener,
  type Sampling,
  type StreamKey,
  strongerSampling,
} from "@huishi/contracts";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "../logger.ts";
import { repeatSummary } from "../logger.ts";
import { GroupOfPictures } from "./group-of-pictures.ts";

const ALL: Sampling = { kind: "all" };

interface Stream {
  readonly key: StreamKey;
  /** Each with how much it needs. */
  readonly listeners: Map<AccessUnitListener, Sampling>;
  sampling: Sampling;
  readonly group: GroupOfPictures;
  /** Runs while nobody subscribes and the source is kept a moment longer. */
  linger: NodeJS.Timeout | null;
}

export interface MediaBusStats {
  readonly wantedStreams: number;
  readonly subscribers: number;
  readonly publishedUnits: number;
  /** Units that nobody wanted. */
  readonly unwantedUnits: number;
  readonly cachedBytes: number;
  /** Listeners that threw. */
  readonly listenerFaults: number;
}

export interface InProcessMediaBusOptions {
  readonly logger?: Logger;
  /** How long a stream stays wanted after its last subscriber left. Default DEMAND_LINGER_MS. */
  readonly lingerMs?: number;
}

/**
 * The media bus of a single process. A stream exists while it is wanted: from its first subscriber until
 * `lingerMs` after the last one left. A listener that throws disturbs nobody else.
 */
export class InProcessMediaBus implements MediaBus {
  readonly #streams = new Map<string, Stream>();
  readonly #sceneListeners = new Map<string, Set<SceneListener>>();
  readonly #demandListeners = new Set<DemandListener>();
  readonly #logger: Logger | undefined;
  readonly #lingerMs: number;
  readonly #repeats = repeatSummary();
  #publishedUnits = 0;
  #unwantedUnits = 0;
  #listenerFaults = 0;

  constructor(options: InProcessMediaBusOptions = {}) {
    this.#logger = options.logger;
    this.#lingerMs = options.lingerMs ?? DEMAND_LINGER_MS;
  }

  publish(key: StreamKey, unit: AccessUnit): void {
    const stream = this.#streams.get(nameOf(key));
    if (!stream) {
      this.#unwantedUnits += 1;
      return;
    }
    this.#publishedUnits += 1;
    stream.group.add(unit);
    for (const listener of stream.listeners.keys()) this.#call(() => listener(unit));
  }

  subscribe(key: StreamKey, listener: AccessUnitListener, sampling: Sampling = ALL): () => void {
    const stream = this.#open(key, sampling);
    // Wrapped, so that one function may subscribe twice and leave once.
    const own: AccessUnitListener = (unit) => listener(unit);
    for (const unit of stream.group.units) this.#call(() => listener(unit));
    stream.listeners.set(own, sampling);
    this.#settleSampling(stream);
    return () => {
      if (!stream.listeners.delete(own)) return;
      if (stream.listeners.size === 0) this.#startLinger(stream);
      else this.#settleSampling(stream);
    };
  }

  samplingOf(key: StreamKey): Sampling {
    return this.#streams.get(nameOf(key))?.sampling ?? ALL;
  }

  publishScene(scene: SceneFrame): void {
    for (const listener of this.#sceneListeners.get(scene.cameraId) ?? []) this.#call(() => listener(scene));
  }

  subscribeScenes(cameraId: string, listener: SceneListener): () => void {
    const listeners = this.#sceneListeners.get(cameraId) ?? new Set();
    this.#sceneListeners.set(cameraId, listeners);
    const own: SceneListener = (scene) => listener(scene);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#sceneListeners.get(cameraId) === listeners) {
        this.#sceneListeners.delete(cameraId);
      }
    };
  }

  /** Streams that are wanted now, those that linger included. */
  demands(): readonly StreamKey[] {
    return [...this.#streams.values()].map((stream) => stream.key);
  }

  onDemand(listener: DemandListener): () => void {
    const own: DemandListener = (key, wanted) => listener(key, wanted);
    this.#demandListeners.add(own);
    return () => void this.#demandListeners.delete(own);
  }

  stats(): MediaBusStats {
    const streams = [...this.#streams.values()];
    return {
      wantedStreams: streams.length,
      subscribers: streams.reduce((sum, stream) => sum + stream.listeners.size, 0),
      publishedUnits: this.#publishedUnits,
      unwantedUnits: this.#unwantedUnits,
      cachedBytes: streams.reduce((sum, stream) => sum + stream.group.byteLength, 0),
      listenerFaults: this.#listenerFaults,
    };
  }

  /** While nobody subscribes, what the last one needed goes on. */
  #settleSampling(stream: Stream): void {
    const [first, ...others] = stream.listeners.values();
    const sampling = others.reduce(strongerSampling, first ?? stream.sampling);
    if (isDeepStrictEqual(sampling, stream.sampling)) return;
    stream.sampling = sampling;
    this.#announce(stream.key, true);
  }

  #open(key: StreamKey, sampling: Sampling): Stream {
    const name = nameOf(key);
    const open = this.#streams.get(name);
    if (open) {
      if (open.linger) clearTimeout(open.linger);
      open.linger = null;
      return open;
    }
    const stream: Stream = {
      key: { cameraId: key.cameraId, profile: key.profile },
      listeners: new Map(),
      sampling,
      group: new GroupOfPictures(),
      linger: null,
    };
    this.#streams.set(name, stream);
    this.#announce(stream.key, true);
    return stream;
  }

  #startLinger(stream: Stream): void {
    stream.linger = setTimeout(() => {
      this.#streams.delete(nameOf(stream.key));
      this.#announce(stream.key, false);
    }, this.#lingerMs);
    stream.linger.unref();
  }

  #announce(key: StreamKey, wanted: boolean): void {
    for (const listener of this.#demandListeners) this.#call(() => listener(key, wanted));
  }

  #call(deliver: () => void): void {
    try {
      deliver();
    } catch (err) {
      this.#listenerFaults += 1;
      const swallowed = this.#repeats.note("listener");
      if (swallowed !== null) this.#logger?.error({ err, swallowed }, "a media listener threw");
    }
  }
}

const nameOf = (key: StreamKey): string => `${key.cameraId}/${key.profile}`;
