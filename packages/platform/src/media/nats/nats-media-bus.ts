import {
  type AccessUnit,
  type AccessUnitListener,
  BUS_DEMAND_LEASE_MS,
  type BusDemand,
  BusDemandSchema,
  type DemandListener,
  MAX_BUS_DEMAND_STREAMS,
  type MediaBus,
  type Sampling,
  type SceneFrame,
  SceneFrameSchema,
  type SceneListener,
  type StreamKey,
  strongerSampling,
} from "@huishi/contracts";
import { HuishiError, supervise } from "@huishi/kernel";
import { isDeepStrictEqual } from "node:util";
import { Compile } from "typebox/compile";
import { type Logger, repeatSummary } from "../../logger.ts";
import { InProcessMediaBus } from "../in-process-media-bus.ts";
import { RemoteDemands, streamName } from "../remote-demands.ts";
import { IncomingStream } from "./incoming-stream.ts";
import type { NatsConnection } from "./nats-connection.ts";
import { MAX_BACKLOG_BYTES, OutgoingStream } from "./outgoing-stream.ts";

const demandCheck = Compile(BusDemandSchema);
const sceneCheck = Compile(SceneFrameSchema);
/** A scene of a thousand objects is 150 KB. */
const MAX_SCENE_BYTES = 256 * 1024;
const RECONNECT = { baseDelayMs: 100, maxDelayMs: 1_000, healthyAfterMs: 5_000 };
const ALL: Sampling = { kind: "all" };

const SUBJECT = {
  unit: ({ cameraId, profile }: StreamKey) => `huishi.unit.${cameraId}.${profile}`,
  group: ({ cameraId, profile }: StreamKey, member: string) =>
    `huishi.group.${member}.${cameraId}.${profile}`,
  scene: (cameraId: string) => `huishi.scene.${cameraId}`,
  demand: "huishi.demand",
  ask: "huishi.ask",
} as const;

export interface NatsMediaBusOptions {
  readonly connection: NatsConnection;
  /** Of this start of this process, `[a-z0-9-]`. */
  readonly member: string;
  readonly logger: Logger;
  /** How long a stream stays wanted after its last subscriber here left. */
  readonly lingerMs?: number;
}

export interface NatsMediaBusStats {
  readonly isConnected: boolean;
  /** Other processes that want something. */
  readonly members: number;
  readonly sentUnits: number;
  /** Units that the network was too slow for, or that were lost on the way with the rest of their group. */
  readonly droppedUnits: number;
  readonly receivedUnits: number;
  readonly malformedMessages: number;
}

interface Incoming {
  readonly leave: () => void;
}

/**
 * The media bus between processes, over NATS core subjects. Within a process it is the in-process bus; a stream that is
 * wanted here is subscribed to there, and every process tells the others what it wants, under a lease. Nothing is kept
 * by the server: what is published while the connection is down is lost, as on any media bus.
 */
export class NatsMediaBus implements MediaBus {
  readonly #connection: NatsConnection;
  readonly #member: string;
  readonly #logger: Logger;
  readonly #local: InProcessMediaBus;
  readonly #localKeys = new Map<string, StreamKey>();
  readonly #remote = new RemoteDemands();
  readonly #incoming = new Map<string, Incoming>();
  readonly #outgoing = new Map<string, OutgoingStream>();
  readonly #scenes = new Map<string, { listeners: number; leave: () => void }>();
  readonly #demandListeners = new Set<DemandListener>();
  readonly #repeats = repeatSummary();
  #telling: NodeJS.Timeout | null = null;
  #sentUnits = 0;
  #droppedUnits = 0;
  #receivedUnits = 0;
  #malformedMessages = 0;

  constructor(options: NatsMediaBusOptions) {
    this.#connection = options.connection;
    this.#member = options.member;
    this.#logger = options.logger;
    this.#local = new InProcessMediaBus({
      logger: options.logger,
      ...(options.lingerMs !== undefined && { lingerMs: options.lingerMs }),
    });
    this.#local.onDemand((key, wanted) => this.#onLocalDemand(key, wanted));
    this.#connection.subscribe(SUBJECT.demand, (payload) => this.#onRemoteDemand(payload));
    this.#connection.subscribe(SUBJECT.ask, () => this.#tellSoon());
    this.#connection.onConnected(() => this.#onConnected());
  }

  /** Keeps the connection and the leases until the signal aborts; then says that nothing is wanted any more. */
  async run(signal: AbortSignal): Promise<void> {
    const renewal = setInterval(() => this.#renew(), BUS_DEMAND_LEASE_MS / 3);
    const connection = new AbortController();
    const connected = supervise(this.#connection, connection.signal, {
      ...RECONNECT,
      onFailure: ({ error }) => this.#report(error),
    });
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    clearInterval(renewal);
    if (this.#telling) clearTimeout(this.#telling);
    this.#localKeys.clear();
    this.#tell();
    connection.abort(new Error("the media bus is closing"));
    await connected;
  }

  publish(key: StreamKey, unit: AccessUnit): void {
    const name = streamName(key);
    if (this.#localKeys.has(name)) this.#local.publish(key, unit);
    if (!this.#remote.isWanted(key)) return;
    const stream = this.#outgoing.get(name) ?? new OutgoingStream(SUBJECT.unit(key));
    this.#outgoing.set(name, stream);
    if (stream.send(unit, this.#connection)) this.#sentUnits += 1;
    else this.#droppedUnits += 1;
  }

  subscribe(key: StreamKey, listener: AccessUnitListener, sampling: Sampling = ALL): () => void {
    return this.#local.subscribe(key, listener, sampling);
  }

  samplingOf(key: StreamKey): Sampling {
    const local = this.#localKeys.has(streamName(key)) ? this.#local.samplingOf(key) : null;
    const remote = this.#remote.samplingOf(key);
    if (local && remote) return strongerSampling(local, remote);
    return local ?? remote ?? ALL;
  }

  publishScene(scene: SceneFrame): void {
    this.#local.publishScene(scene);
    // A box that comes late is worth nothing.
    if (this.#connection.backlogBytes > MAX_BACKLOG_BYTES) return;
    const payload = Buffer.from(JSON.stringify(scene));
    if (payload.byteLength <= MAX_SCENE_BYTES)
      this.#connection.publish(SUBJECT.scene(scene.cameraId), payload);
  }

  subscribeScenes(cameraId: string, listener: SceneListener): () => void {
    const scenes = this.#scenes.get(cameraId) ?? {
      listeners: 0,
      leave: this.#connection.subscribe(SUBJECT.scene(cameraId), (payload) =>
        this.#onScene(cameraId, payload),
      ),
    };
    scenes.listeners += 1;
    this.#scenes.set(cameraId, scenes);
    const leave = this.#local.subscribeScenes(cameraId, listener);
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      leave();
      scenes.listeners -= 1;
      if (scenes.listeners > 0) return;
      scenes.leave();
      this.#scenes.delete(cameraId);
    };
  }

  /** Streams that are wanted now, here or elsewhere. */
  demands(): readonly StreamKey[] {
    const keys = new Map(this.#localKeys);
    for (const key of this.#remote.keys()) keys.set(streamName(key), key);
    return [...keys.values()];
  }

  onDemand(listener: DemandListener): () => void {
    const own: DemandListener = (key, wanted) => listener(key, wanted);
    this.#demandListeners.add(own);
    return () => void this.#demandListeners.delete(own);
  }

  stats(): NatsMediaBusStats {
    return {
      isConnected: this.#connection.isConnected,
      members: this.#remote.memberCount,
      sentUnits: this.#sentUnits,
      droppedUnits: this.#droppedUnits,
      receivedUnits: this.#receivedUnits,
      malformedMessages: this.#malformedMessages,
    };
  }

  #onLocalDemand(key: StreamKey, wanted: boolean): void {
    const name = streamName(key);
    const before = this.#remote.samplingOf(key);
    if (wanted) {
      this.#localKeys.set(name, key);
      // First the subscription, then the demand: over one connection the server takes them in this order.
      if (!this.#incoming.has(name)) this.#incoming.set(name, this.#openIncoming(key));
    } else {
      this.#localKeys.delete(name);
      this.#incoming.get(name)?.leave();
      this.#incoming.delete(name);
    }
    this.#tellSoon();
    // Others want as much or more: nothing changes for the source.
    if (before && isDeepStrictEqual(before, this.samplingOf(key)) && !wanted) return;
    this.#announce(key);
  }

  #openIncoming(key: StreamKey): Incoming {
    const stream = new IncomingStream(
      (unit) => {
        this.#receivedUnits += 1;
        this.#local.publish(key, unit);
      },
      () => (this.#droppedUnits += 1),
    );
    const leaves = [
      this.#connection.subscribe(SUBJECT.unit(key), (payload) => this.#guard(() => stream.takeLive(payload))),
      this.#connection.subscribe(SUBJECT.group(key, this.#member), (payload) =>
        this.#guard(() => stream.takeGroup(payload)),
      ),
    ];
    return { leave: () => leaves.forEach((leave) => leave()) };
  }

  #onRemoteDemand(payload: Buffer): void {
    const demand = this.#read(demandCheck, payload);
    if (!demand || demand.member === this.#member) return;
    const { changed, joined } = this.#remote.take(demand, performance.now());
    this.#onRemoteChanges(changed);
    for (const key of joined)
      this.#outgoing.get(streamName(key))?.sendGroup(SUBJECT.group(key, demand.member), this.#connection);
  }

  #onRemoteChanges(changed: readonly StreamKey[]): void {
    for (const key of changed) {
      if (!this.#remote.isWanted(key)) this.#outgoing.delete(streamName(key));
      this.#announce(key);
    }
  }

  #onScene(cameraId: string, payload: Buffer): void {
    if (payload.byteLength > MAX_SCENE_BYTES) {
      this.#malformedMessages += 1;
      return;
    }
    const scene = this.#read(sceneCheck, payload);
    if (scene?.cameraId === cameraId) this.#local.publishScene(scene);
  }

  #onConnected(): void {
    this.#logger.info("the media bus is connected");
    this.#tell();
    this.#connection.publish(SUBJECT.ask, new Uint8Array(0));
  }

  #renew(): void {
    this.#onRemoteChanges(this.#remote.expire(performance.now()));
    if (this.#localKeys.size > 0) this.#tell();
  }

  /** Gathers what changes within a moment. */
  #tellSoon(): void {
    this.#telling ??= setTimeout(() => this.#tell(), 10);
  }

  #tell(): void {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    const streams = [...this.#localKeys.values()].map((key) => ({
      ...key,
      sampling: this.#local.samplingOf(key),
    }));
    const parts = Math.max(1, Math.ceil(streams.length / MAX_BUS_DEMAND_STREAMS));
    for (let part = 0; part < parts; part++) {
      const demand: BusDemand = {
        v: 1,
        member: this.#member,
        part,
        parts,
        streams: streams.slice(part * MAX_BUS_DEMAND_STREAMS, (part + 1) * MAX_BUS_DEMAND_STREAMS),
      };
      this.#connection.publish(SUBJECT.demand, Buffer.from(JSON.stringify(demand)));
    }
  }

  #announce(key: StreamKey): void {
    const wanted = this.#localKeys.has(streamName(key)) || this.#remote.isWanted(key);
    for (const listener of this.#demandListeners) this.#guard(() => listener(key, wanted));
  }

  #read<T>(check: { Check(value: unknown): value is T }, payload: Buffer): T | null {
    try {
      const value: unknown = JSON.parse(payload.toString());
      if (check.Check(value)) return value;
    } catch {
      // Counted below.
    }
    this.#malformedMessages += 1;
    return null;
  }

  /** Nothing that comes over the bus, and no listener, ends the connection. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof HuishiError && error.code === "MEDIA_HEADER") this.#malformedMessages += 1;
      else this.#report(error);
    }
  }

  #report(err: unknown): void {
    const code = err instanceof HuishiError ? err.code : "unknown";
    const swallowed = this.#repeats.note(code);
    if (swallowed !== null)
      this.#logger.warn({ err, swallowed, code }, "the media bus has a fault and goes on");
  }
}
