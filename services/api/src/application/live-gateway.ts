import {
  type AccessUnit,
  encodeAccessUnit,
  type MediaBus,
  type SceneFrame,
  type Watch,
} from "@huishi/contracts";
import { MEDIA_PAUSE_BYTES, MediaPace } from "../domain/media-pace.ts";
import { serialise } from "./change-feed.ts";

/** Somebody who watches live pictures. Both sends must not wait. */
export interface Viewer {
  /** Bytes accepted but not yet taken by the network. */
  backlogBytes(): number;
  sendMedia(message: Buffer): void;
  sendText(message: Buffer): void;
}

export interface LiveGatewayMetrics {
  mediaSent(bytes: number): void;
  mediaDropped(): void;
}

/** A place on a stream: first known by its channel, then started, then left. */
export interface Seat {
  readonly channel: number;
  start(viewer: Viewer): void;
  leave(): void;
}

const CHANNEL_BYTES = 2;
const FLAGS_OFFSET = CHANNEL_BYTES + 1;
const DISCONTINUITY = 2;
const MAX_GOP_BYTES = 8 * 1024 * 1024;
const MAX_GOP_UNITS = 600;

/**
 * The live gateway: subscribes to each wanted stream ONCE a process and fans the same bytes out. A channel is
 * a stream's number in this process, the same for all viewers, so that one Buffer serves them all.
 */
export class LiveGateway {
  readonly #bus: MediaBus;
  readonly #metrics: LiveGatewayMetrics;
  readonly #streams = new Map<string, SharedStream>();
  readonly #scenes = new Map<string, SharedScenes>();
  #lastChannel = -1;

  constructor(bus: MediaBus, metrics: LiveGatewayMetrics) {
    this.#bus = bus;
    this.#metrics = metrics;
  }

  /** Streams that somebody watches now. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Reserves a seat. Nothing is sent before `start`, so the channel can be announced first. */
  reserve(watch: Watch): Seat {
    const key = `${watch.cameraId}/${watch.profile}`;
    const stream =
      this.#streams.get(key) ?? new SharedStream(this.#bus, watch, this.#freeChannel(), this.#metrics);
    this.#streams.set(key, stream);
    stream.seats += 1;
    let seated: Viewer | null = null;
    let isLeft = false;
    return {
      channel: stream.channel,
      start: (viewer) => {
        if (isLeft || seated !== null) return;
        seated = viewer;
        stream.add(viewer);
        this.#scenesOf(watch.cameraId).add(viewer);
      },
      leave: () => {
        if (isLeft) return;
        isLeft = true;
        stream.seats -= 1;
        if (seated !== null) {
          stream.remove(seated);
          this.#leaveScenes(watch.cameraId, seated);
        }
        if (stream.seats === 0) this.#streams.delete(key);
      },
    };
  }

  #scenesOf(cameraId: string): SharedScenes {
    const scenes = this.#scenes.get(cameraId) ?? new SharedScenes(this.#bus, cameraId);
    this.#scenes.set(cameraId, scenes);
    return scenes;
  }

  #leaveScenes(cameraId: string, viewer: Viewer): void {
    const scenes = this.#scenes.get(cameraId);
    if (scenes?.remove(viewer) === 0) this.#scenes.delete(cameraId);
  }

  #freeChannel(): number {
    const used = new Set([...this.#streams.values()].map((stream) => stream.channel));
    do this.#lastChannel = (this.#lastChannel + 1) & 0xffff;
    while (used.has(this.#lastChannel));
    return this.#lastChannel;
  }
}

/** One stream of the bus, and all who watch it. Keeps the current group of pictures for whoever joins. */
class SharedStream {
  readonly channel: number;
  seats = 0;
  readonly #bus: MediaBus;
  readonly #watch: Watch;
  readonly #metrics: LiveGatewayMetrics;
  readonly #viewers = new Map<Viewer, MediaPace>();
  #gop: Buffer[] = [];
  #gopBytes = 0;
  #unsubscribe: (() => void) | null = null;

  constructor(bus: MediaBus, watch: Watch, channel: number, metrics: LiveGatewayMetrics) {
    this.#bus = bus;
    this.#watch = watch;
    this.channel = channel;
    this.#metrics = metrics;
  }

  add(viewer: Viewer): void {
    const pace = new MediaPace();
    // Judged once: the group is sent whole or not at all, else the picture would stop in the middle of it.
    const backlogBytes = viewer.backlogBytes();
    this.#gop.forEach((message, i) =>
      this.#offer(viewer, pace, { message, keyframe: i === 0, backlogBytes }),
    );
    this.#viewers.set(viewer, pace);
    // The bus gives the first subscriber its own group of pictures, at once.
    this.#unsubscribe ??= this.#bus.subscribe(this.#watch, (unit) => this.#onUnit(unit));
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#forgetGop();
  }

  #onUnit(unit: AccessUnit): void {
    const message = frame(this.channel, unit);
    if (unit.keyframe) this.#forgetGop();
    if (unit.keyframe || this.#gop.length > 0) this.#remember(message);
    for (const [viewer, pace] of this.#viewers) {
      this.#offer(viewer, pace, { message, keyframe: unit.keyframe, backlogBytes: viewer.backlogBytes() });
    }
  }

  #offer(
    viewer: Viewer,
    pace: MediaPace,
    unit: { message: Buffer; keyframe: boolean; backlogBytes: number },
  ): void {
    const droppedBefore = pace.dropped;
    const verdict = pace.decide(unit.keyframe, unit.backlogBytes);
    if (pace.dropped > droppedBefore) this.#metrics.mediaDropped();
    if (verdict === "drop") return;
    viewer.sendMedia(verdict === "send" ? unit.message : markDiscontinuity(unit.message));
    this.#metrics.mediaSent(unit.message.byteLength);
  }

  #remember(message: Buffer): void {
    this.#gop.push(message);
    this.#gopBytes += message.byteLength;
    if (this.#gopBytes > MAX_GOP_BYTES || this.#gop.length > MAX_GOP_UNITS) this.#forgetGop();
  }

  #forgetGop(): void {
    this.#gop = [];
    this.#gopBytes = 0;
  }
}

/** The boxes of one camera, serialised once for all who watch it. A viewer with two profiles is told once. */
class SharedScenes {
  readonly #seats = new Map<Viewer, number>();
  readonly #unsubscribe: () => void;

  constructor(bus: MediaBus, cameraId: string) {
    this.#unsubscribe = bus.subscribeScenes(cameraId, (scene) => this.#onScene(scene));
  }

  add(viewer: Viewer): void {
    this.#seats.set(viewer, (this.#seats.get(viewer) ?? 0) + 1);
  }

  /** Returns how many viewers are left; with none the subscription has ended. */
  remove(viewer: Viewer): number {
    const seats = (this.#seats.get(viewer) ?? 0) - 1;
    if (seats > 0) this.#seats.set(viewer, seats);
    else this.#seats.delete(viewer);
    if (this.#seats.size === 0) this.#unsubscribe();
    return this.#seats.size;
  }

  #onScene(scene: SceneFrame): void {
    const message = serialise({ t: "scene", scene });
    for (const viewer of this.#seats.keys()) {
      if (viewer.backlogBytes() <= MEDIA_PAUSE_BYTES) viewer.sendText(message);
    }
  }
}

/** The binary frame of contracts/socket.ts: channel number, then the whole access unit. */
function frame(channel: number, unit: AccessUnit): Buffer {
  const message = Buffer.concat([Buffer.alloc(CHANNEL_BYTES), encodeAccessUnit(unit)]);
  message.writeUInt16BE(channel, 0);
  return message;
}

function markDiscontinuity(message: Buffer): Buffer {
  const marked = Buffer.from(message);
  marked[FLAGS_OFFSET] = (marked[FLAGS_OFFSET] ?? 0) | DISCONTINUITY;
  return marked;
}
