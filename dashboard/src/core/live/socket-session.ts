/**
 * The life of the one WebSocket: hello with the cursor, watch, ping, and coming back with back-off after every
 * loss. Knows nothing of pictures: binary frames are handed on by channel.
 */
import {
  type ClientMessage,
  type ServerMessage,
  SOCKET_CLOSE,
  type StreamProfile,
  type Watch,
} from "@huishi/contracts";
import { backoffDelayMs } from "@huishi/kernel";
import { ServerClockEstimator } from "../clock/server-clock.ts";
import type { ConnectionState } from "./protocol.ts";

const PING_EVERY_MS = 2_000;
/** Nothing heard for this long, pongs included: the way is dead though no close came (RFC 1122 §4.2.3.6 is 2 h). */
const SILENCE_MS = 7_000;
const BACKOFF = { baseDelayMs: 500, maxDelayMs: 10_000 };

/** The part of a browser's WebSocket that is used. */
export interface SocketLike {
  binaryType: string;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface SocketSessionParts {
  openSocket(): SocketLike;
  nowMs(): number;
  readonly random: () => number;
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface SocketSessionEvents {
  connection(state: ConnectionState): void;
  clock(offsetMs: number): void;
  message(message: ServerMessage): void;
  media(cameraId: string, profile: StreamProfile, accessUnit: Uint8Array): void;
}

export class SocketSession {
  readonly #parts: SocketSessionParts;
  readonly #events: SocketSessionEvents;
  readonly #clock = new ServerClockEstimator();
  #socket: SocketLike | null = null;
  #cursor: string | null = null;
  #watches: readonly Watch[] = [];
  #channels = new Map<number, { cameraId: string; profile: StreamProfile }>();
  #isWelcome = false;
  #attempt = 0;
  #lastHeardMs = 0;
  #pingId = 0;
  #pingSentAtMs = new Map<number, number>();
  #timer: unknown = null;
  #stopped = false;

  constructor(parts: SocketSessionParts, events: SocketSessionEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#parts.clearTimeout(this.#timer);
    this.#detach();
  }

  /** Does not wait for the back-off when a new attempt is only planned. */
  retryNow(): void {
    if (this.#stopped || this.#socket) return;
    this.#parts.clearTimeout(this.#timer);
    this.#connect();
  }

  /** The whole set of streams that is shown now. */
  watch(watches: readonly Watch[]): void {
    this.#watches = watches;
    if (this.#isWelcome) this.#send({ t: "watch", watches: [...watches] });
  }

  #connect(): void {
    this.#events.connection({
      phase: this.#attempt === 0 ? "connecting" : "lost",
      attempt: this.#attempt,
      retryInMs: null,
    });
    const socket = this.#parts.openSocket();
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#lastHeardMs = this.#parts.nowMs();
    socket.onopen = () =>
      this.#send(this.#cursor === null ? { t: "hello" } : { t: "hello", cursor: this.#cursor });
    socket.onmessage = (event) => this.#receive(event.data as string | ArrayBuffer);
    socket.onclose = (event) => this.#lost(event.code);
    this.#planTick();
  }

  #planTick(): void {
    this.#timer = this.#parts.setTimeout(() => {
      if (this.#parts.nowMs() - this.#lastHeardMs > SILENCE_MS) this.#lost(0);
      else {
        if (this.#isWelcome) this.#ping();
        this.#planTick();
      }
    }, PING_EVERY_MS);
  }

  #ping(): void {
    const id = ++this.#pingId;
    if (this.#pingSentAtMs.size > 16) this.#pingSentAtMs.clear();
    this.#pingSentAtMs.set(id, this.#parts.nowMs());
    this.#send({ t: "ping", id });
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #receive(data: string | ArrayBuffer): void {
    this.#lastHeardMs = this.#parts.nowMs();
    if (typeof data === "string") this.#receiveMessage(JSON.parse(data) as ServerMessage);
    else if (data.byteLength > 2) {
      const stream = this.#channels.get(new DataView(data).getUint16(0));
      if (stream) this.#events.media(stream.cameraId, stream.profile, new Uint8Array(data, 2));
    }
  }

  #receiveMessage(message: ServerMessage): void {
    if (message.t === "welcome") this.#welcome(message.cursor);
    else if (message.t === "changes") this.#cursor = message.cursor;
    else if (message.t === "watching")
      this.#channels = new Map(message.channels.map((channel) => [channel.channel, channel]));
    else if (message.t === "pong") this.#pong(message.id, message.serverTimeMs);
    this.#events.message(message);
  }

  #welcome(cursor: string): void {
    this.#isWelcome = true;
    this.#attempt = 0;
    this.#cursor = cursor;
    this.#clock.reset();
    this.#ping();
    this.#send({ t: "watch", watches: [...this.#watches] });
    this.#events.connection({ phase: "online", attempt: 0, retryInMs: null });
  }

  #pong(id: number, serverTimeMs: number): void {
    const sentAtMs = this.#pingSentAtMs.get(id);
    if (sentAtMs === undefined) return;
    this.#pingSentAtMs.delete(id);
    this.#clock.add({ sentAtMs, receivedAtMs: this.#parts.nowMs(), serverTimeMs });
    const { offsetMs } = this.#clock;
    if (offsetMs !== null) this.#events.clock(offsetMs);
  }

  #lost(code: number): void {
    this.#parts.clearTimeout(this.#timer);
    this.#detach();
    if (this.#stopped) return;
    if (code === SOCKET_CLOSE.sessionEnded) {
      this.#stopped = true;
      this.#events.connection({ phase: "signedOut", attempt: 0, retryInMs: null });
      return;
    }
    const retryInMs = backoffDelayMs(this.#attempt, BACKOFF, this.#parts.random);
    this.#attempt += 1;
    this.#events.connection({ phase: "lost", attempt: this.#attempt, retryInMs });
    this.#timer = this.#parts.setTimeout(() => this.#connect(), retryInMs);
  }

  #detach(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isWelcome = false;
    this.#channels.clear();
    this.#pingSentAtMs.clear();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
