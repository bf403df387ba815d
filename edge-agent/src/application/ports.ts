// What the use cases need from the world. Adapters carry the technology's name.
import type {
  AgentCommand,
  AgentConfig,
  AgentStatus,
  CommandBody,
  CommandKind,
  CommandReply,
  EdgeEvent,
  Imaging,
  MediaDemand,
  PtzMove,
  StreamKey,
  StreamProfile,
  VideoCodec,
} from "@huishi/contracts";
import type { CameraDescription } from "../domain/camera-description.ts";
import type { MediaQueue } from "../domain/gop-gate.ts";

type WithoutStamp<E> = E extends EdgeEvent ? Omit<E, "seq" | "agentAtMs"> : never;
/** An event before the agent's outbox gave it its number and time. */
export type EventDraft = WithoutStamp<EdgeEvent>;

/** One camera on the network. Each call signs in once at most, and fails with an EdgeError. */
export interface CameraDevice {
  /** Host and port, or RTSP address without credentials: what the camera is configured under. */
  readonly address: string;
  describe(signal: AbortSignal): Promise<CameraDescription>;
  /** Cheap proof of life. `clockOffsetMs` is the device's clock minus ours, where it tells. */
  checkHealth(description: CameraDescription, signal: AbortSignal): Promise<{ clockOffsetMs?: number }>;
  /** Reports the camera's own motion (and other events, bounded in rate) until the signal aborts; throws on a fault. */
  watchMotion(
    onMotion: (isActive: boolean, atMs: number) => void,
    signal: AbortSignal,
    onEvent?: (event: CameraSideEvent) => void,
  ): Promise<void>;
}

/** What a camera's own analytics or electronics report, other than motion. */
export interface CameraSideEvent {
  readonly topic: string;
  readonly active?: boolean;
  readonly data: Readonly<Record<string, string>>;
  /** Agent clock. */
  readonly atMs: number;
}

/** A picture as it came out of the camera. */
export interface SourceUnit {
  readonly codec: VideoCodec;
  /** Annex B; keyframes carry their parameter sets. */
  readonly annexB: Uint8Array;
  readonly keyframe: boolean;
  /** No other picture needs it: it may be left out alone. */
  readonly disposable: boolean;
  /** Its parameter sets differ from the ones before: size or profile may be others now. */
  readonly changed: boolean;
  readonly ptsMs: number;
}

/** Opens a stream and hands out its pictures until the signal aborts; throws an EdgeError when it ends. */
export interface FrameSource {
  run(signal: AbortSignal, onUnits: (units: readonly SourceUnit[]) => void): Promise<void>;
}

/** A place in the outbox. Places rise in the order of the appends and are never used twice. */
export type OutboxPosition = number;

/** What to read: events at `from` and behind it, below `before` where that is given. */
export interface OutboxWindow {
  readonly from: OutboxPosition;
  readonly before?: OutboxPosition;
  readonly maxEvents: number;
  /** One event is given however large it is. */
  readonly maxBytes: number;
}

/** Events of one boot that follow one another: all that the outbox holds from `first` to `last`. */
export interface OutboxBatch {
  readonly boot: string;
  readonly events: readonly EdgeEvent[];
  readonly first: OutboxPosition;
  readonly last: OutboxPosition;
}

export interface OutboxStats {
  readonly depth: number;
  readonly oldestAtMs: number | null;
  /** On the disk. */
  readonly bytes: number;
  /** Events given up since the start; gap events tell of them. */
  readonly lost: number;
}

/**
 * Keeps events until the centre has committed them, over power cuts and restarts. Bounded: the oldest events of the
 * lowest severity go first, and an `outbox_gap` event says what is missing.
 */
export interface Outbox {
  /**
   * Resolves when the event would survive a power cut; rejects with OUTBOX_FULL when there is no room for it, with
   * EVENT_TOO_LARGE when no batch could hold it.
   */
  append(event: EventDraft, agentAtMs: number): Promise<void>;
  /** The place of the next event that comes. */
  readonly end: OutboxPosition;
  /** Events that are not acknowledged. */
  readonly depth: number;
  /** The next events of one boot, or null when there are none (yet). */
  read(window: OutboxWindow): Promise<OutboxBatch | null>;
  /** Removes exactly the events of the batch, whatever is acknowledged before it. */
  acknowledge(batch: OutboxBatch): Promise<void>;
  /** Resolves when there may be something to read at `from`. */
  waitFor(from: OutboxPosition, signal: AbortSignal): Promise<void>;
  stats(): Promise<OutboxStats>;
  close(): Promise<void>;
}

/** The connection for events, status and demands. */
/** Events in the order of their numbers. */
export interface EventBatch {
  readonly boot: string;
  readonly events: readonly EdgeEvent[];
}

export interface EventLink {
  readonly isConnected: boolean;
  /** Runs until the connection ends (then it throws) or the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the centre acknowledged the batch: it is committed there. */
  publishBatch(batch: EventBatch): Promise<void>;
  publishStatus(status: Omit<AgentStatus, "v">): Promise<void>;
  waitUntilConnected(signal: AbortSignal): Promise<void>;
}

export type DemandHandler = (cameraId: string, demand: MediaDemand | null, isRetained: boolean) => void;

/** The connection for media. */
export interface MediaLink {
  readonly isConnected: boolean;
  /** Bytes that wait in the connection. */
  readonly queuedBytes: number;
  /** What waits, and how much may: on a slow line what it delivers in about a second. */
  readonly queue: MediaQueue;
  run(signal: AbortSignal): Promise<void>;
  publish(key: StreamKey, fragment: Uint8Array): void;
  /** At QoS 1: resolves when it is acknowledged, rejects when the connection ends first. */
  publishAcknowledged(topic: string, bytes: Uint8Array): Promise<void>;
}

/** A device that answered a WS-Discovery probe. */
export interface FoundDevice {
  readonly endpoint: string;
  /** ONVIF device service on the host that answered. */
  readonly onvifUrl: string;
  readonly name: string | null;
  readonly hardware: string | null;
  /** The device named no address of its own that we use: this is the well-known path, and nobody has asked there yet. */
  readonly isGuess?: boolean;
}

export interface Discovery {
  /** Probes for some seconds; each device once. */
  probe(signal: AbortSignal): Promise<FoundDevice[]>;
}

/** What a probe of one address found there, without ever signing in. */
export interface ProbedAddress {
  readonly address: string;
  readonly onvifUrl?: string;
  readonly rtspPort?: number;
}

/** What a camera can be told to do. Each call signs in once at most, and fails with an EdgeError. */
export interface CameraControl {
  /** What it gave: `presets`, `preset` or `status`, by the kind of move. @throws EdgeError CAMERA_UNSUPPORTED */
  move(move: PtzMove, signal: AbortSignal): Promise<Record<string, unknown>>;
  /** Changes what is given and reads all: 0..100 of the camera's own range. @throws EdgeError CAMERA_UNSUPPORTED */
  image(set: Imaging | undefined, signal: AbortSignal): Promise<Imaging>;
  /** A JPEG as the camera itself made it. @throws EdgeError CAMERA_UNSUPPORTED, CAMERA_ANSWER_REFUSED */
  snapshot(signal: AbortSignal): Promise<Buffer>;
}

/** Asks addresses whether ONVIF or RTSP answers there. Never signs in. */
export interface AddressProbe {
  probe(addresses: readonly string[], signal: AbortSignal): Promise<ProbedAddress[]>;
}

/** The part of a logger that the use cases need: fields first, then a fixed message. */
export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** A picture of a running stream with its place in time: what everybody who shares the stream is given. */
export interface CapturedUnit extends SourceUnit {
  /** Agent clock. */
  readonly capturedAtMs: number;
  /** Rises by one a picture of the source's run; a new run begins at 0. */
  readonly unitNumber: number;
}

/** What a running stream tells whoever shares it. Called synchronously: copy or queue (bounded), never wait, never throw. */
export interface StreamConsumer {
  onUnit(unit: CapturedUnit): void;
  /** The source ended or failed at this time (agent clock); it is opened again by itself. */
  onInterrupted?(atMs: number, error: unknown): void;
}

/** Why a stream is shared: decides which one when a camera has several, and stands in metrics. */
export type StreamPurpose = "live" | "analysis" | "recording" | "health";

/**
 * The running streams of one camera. One upstream connection a stream, however many share it: started by the first
 * attachment, stopped after the last one with a linger.
 */
export interface StreamTap {
  readonly cameraId: string;
  /** Detaches when called; a consumer that joins a running stream is first given the current group of pictures. */
  attach(profile: StreamProfile, purpose: StreamPurpose, consumer: StreamConsumer): () => void;
}

/** Told of each camera's streams when they can be had, and when the camera is given up. */
export interface TapListener {
  tapReady(tap: StreamTap): void;
  tapGone(cameraId: string): void;
}

/** Carries out one kind of command. Throws an EdgeError whose code goes into the reply. */
export type CommandHandler<K extends CommandKind = CommandKind> = (
  body: Extract<CommandBody, { kind: K }>,
  signal: AbortSignal,
) => Promise<Record<string, unknown>>;

/** The centre's commands and configuration, as the event connection hands them over. */
export interface CentreListener {
  onConfig(config: AgentConfig): void;
  /** What came is no configuration; `revision` is what stands in it under that name. */
  onUnreadableConfig?(revision: unknown, why: string): void;
  onCommand(command: AgentCommand): void;
  /** A new connection stands; what is retained comes after it. */
  onConnected?(): void;
}

/** Answers go the same way back. */
export interface ReplyLink {
  publishReply(reply: CommandReply): Promise<void>;
}

/** Sends one large thing in chunks, below live media: each chunk is acknowledged when the centre has it on its disk. */
export interface Uploader {
  /** Resolves when the last chunk is acknowledged. Begins anew after a lost connection. Throws UPLOAD_REFUSED. */
  upload(
    transferId: string,
    content: { readonly bytes: number; chunks(fromByte: number): AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Signs what the agent vouches for. */
export interface Signer {
  /** First 16 hex digits of the SHA-256 of the public key. */
  readonly keyId: string;
  /** Ed25519 over the text's UTF-8 bytes; 64 bytes. */
  sign(text: string): Uint8Array;
}
