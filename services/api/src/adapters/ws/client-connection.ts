import { type ClientMessage, ClientMessageSchema, SOCKET_CLOSE, type Watch } from "@huishi/contracts";
import { type Clock, HuishiError, sleep } from "@huishi/kernel";
import type { Logger } from "@huishi/platform";
import { Compile } from "typebox/compile";
import type { RawData, WebSocket } from "ws";
import type { CameraStore } from "../../application/cameras.ts";
import { type ChangeFeed, type ChangeSubscriber, serialise } from "../../application/change-feed.ts";
import type { StoredSession } from "../../application/identity.ts";
import type { LiveGateway, Seat, Viewer } from "../../application/live-gateway.ts";
import { type LookStore, WALL_PURPOSE } from "../../application/looks.ts";
import { parseCursor } from "../../domain/cursor.ts";
import { Backlog, MAX_BACKLOG_BYTES, MAX_BEHIND_MS } from "../../domain/media-pace.ts";
import { TokenBucket } from "../../domain/token-bucket.ts";

export interface ConnectionParts {
  readonly feed: ChangeFeed;
  readonly gateway: LiveGateway;
  readonly cameras: Pick<CameraStore, "findCameras">;
  readonly looks: LookStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface OpenWatch {
  readonly watch: Watch;
  readonly seat: Seat;
  readonly lookId: string;
}

const clientMessage = Compile(ClientMessageSchema);
/** More of the past is added only when less than this waits. */
const REPLAY_BACKLOG_BYTES = 1024 * 1024;
const REPLAY_PAUSE_MS = 20;
const HELLO_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;
const MESSAGES_PER_SECOND = 20;
const MESSAGE_BURST = 60;

/** One browser's socket: its place in the stream of changes and the streams it watches. */
export class ClientConnection implements ChangeSubscriber, Viewer {
  readonly session: StoredSession;
  readonly #socket: WebSocket;
  readonly #parts: ConnectionParts;
  readonly #abort = new AbortController();
  readonly #backlog = new Backlog();
  readonly #bucket: TokenBucket;
  readonly #open = new Map<string, OpenWatch>();
  readonly #openedAtMs: number;
  #wanted: readonly Watch[] | null = null;
  #applying: Promise<void> | null = null;
  #saidHello = false;
  #isAlive = true;

  constructor(socket: WebSocket, session: StoredSession, parts: ConnectionParts) {
    this.session = session;
    this.#socket = socket;
    this.#parts = parts;
    this.#openedAtMs = parts.clock.nowMs();
    this.#bucket = new TokenBucket({
      perSecond: MESSAGES_PER_SECOND,
      burst: MESSAGE_BURST,
      nowMs: this.#openedAtMs,
    });
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // ws closes with the fitting code by itself (too large, bad UTF-8); `close` follows.
    socket.on("error", (err) => parts.logger.debug({ err }, "socket error"));
  }

  backlogBytes(): number {
    return this.#socket.bufferedAmount;
  }

  sendText(message: Buffer): void {
    this.#send(message, false);
  }

  sendMedia(message: Buffer): void {
    this.#send(message, true);
  }

  async drained(signal: AbortSignal): Promise<void> {
    while (this.backlogBytes() > REPLAY_BACKLOG_BYTES && !signal.aborted) {
      await sleep(REPLAY_PAUSE_MS, signal).catch(() => undefined);
    }
  }

  /** Once a second: cuts off a client that is too far behind or never said hello. */
  tick(nowMs: number): void {
    const behindMs = this.#backlog.tick(nowMs, this.backlogBytes());
    if (behindMs > MAX_BEHIND_MS) this.close(SOCKET_CLOSE.tooSlow, "too far behind; resume with the cursor");
    if (!this.#saidHello && nowMs - this.#openedAtMs > HELLO_TIMEOUT_MS) {
      this.close(SOCKET_CLOSE.badMessage, "say hello first");
    }
  }

  /** Every 15 s: a peer that did not answer the last ping is gone. */
  heartbeat(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** Says why and closes; what the peer does not take within a second is thrown away. */
  close(code: number, reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#parts.logger.info(
      { userName: this.session.user.userName, code, reason },
      "socket closed by the server",
    );
    this.#release();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Ends everything this connection holds. Resolves when its looks are written off. */
  async dispose(): Promise<void> {
    this.#release();
    await this.#applying;
    await this.#leaveAll();
  }

  #release(): void {
    this.#abort.abort(new Error("socket closed"));
    this.#parts.feed.leave(this);
  }

  #send(message: Buffer, isBinary: boolean): void {
    if (this.#abort.signal.aborted || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(message, { binary: isBinary });
    this.#backlog.queued(message.byteLength);
    if (this.#socket.bufferedAmount > MAX_BACKLOG_BYTES) {
      this.close(SOCKET_CLOSE.tooSlow, "too much is waiting; resume with the cursor");
    }
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#abort.signal.aborted) return;
    if (!this.#bucket.take(this.#parts.clock.nowMs())) {
      this.close(SOCKET_CLOSE.tooManyMessages, "too many messages");
      return;
    }
    const message = isBinary ? null : readMessage(data);
    if (message === null) {
      this.close(SOCKET_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    if (message.t === "hello") this.#onHello(message.cursor);
    else if (message.t === "watch") this.#onWatch(message.watches);
    else this.sendText(serialise({ t: "pong", id: message.id, serverTimeMs: this.#parts.clock.nowMs() }));
  }

  #onHello(cursorText: string | undefined): void {
    if (this.#saidHello) {
      this.close(SOCKET_CLOSE.badMessage, "hello was said already");
      return;
    }
    this.#saidHello = true;
    this.#join(cursorText).catch((err: unknown) => this.#fail(err));
  }

  async #join(cursorText: string | undefined): Promise<void> {
    const cursor = cursorText === undefined ? null : parseCursor(cursorText);
    await this.#parts.feed.join(this, cursor, this.#abort.signal);
  }

  /** The newest wish wins: what was asked for in between is never opened. */
  #onWatch(watches: readonly Watch[]): void {
    this.#wanted = watches;
    this.#applying ??= this.#applyWishes()
      .catch((err: unknown) => this.#fail(err))
      .finally(() => {
        this.#applying = null;
      });
  }

  async #applyWishes(): Promise<void> {
    while (this.#wanted !== null && !this.#abort.signal.aborted) {
      const wanted = new Map(this.#wanted.map((watch) => [`${watch.cameraId}/${watch.profile}`, watch]));
      this.#wanted = null;
      await this.#applyWatches(wanted);
    }
  }

  async #applyWatches(wanted: ReadonlyMap<string, Watch>): Promise<void> {
    const { cameras, looks, gateway } = this.#parts;
    const ended = [...this.#open.keys()].filter((key) => !wanted.has(key));
    const fresh = [...wanted.values()].filter(
      (watch) => !this.#open.has(`${watch.cameraId}/${watch.profile}`),
    );
    const known = new Set(
      (await cameras.findCameras(fresh.map((watch) => watch.cameraId))).map(({ id }) => id),
    );
    const allowed = fresh.filter((watch) => known.has(watch.cameraId));
    // The look is on record before its first picture leaves.
    const lookIds =
      allowed.length === 0 ? [] : await looks.startLooks(this.session.user, allowed, WALL_PURPOSE);
    await this.#leave(ended);
    const opened = allowed.map((watch, i): OpenWatch => {
      const openWatch = { watch, seat: gateway.reserve(watch), lookId: lookIds[i] ?? "0" };
      this.#open.set(`${watch.cameraId}/${watch.profile}`, openWatch);
      return openWatch;
    });
    // The socket may have closed during the waits above; `dispose` then ends what was just opened.
    if (this.#abort.signal.aborted) return;
    this.#announce(fresh.filter((watch) => !known.has(watch.cameraId)));
    for (const { seat } of opened) {
      // One after the other: sixteen groups of pictures at once would drown the client in its first second.
      seat.start(this);
      await this.drained(this.#abort.signal);
    }
  }

  #announce(refused: readonly Watch[]): void {
    const channels = [...this.#open.values()].map(({ watch, seat }) => ({ channel: seat.channel, ...watch }));
    this.sendText(
      serialise({
        t: "watching",
        channels,
        refused: refused.map(({ cameraId }) => ({ cameraId, code: "CAMERA_NOT_FOUND" })),
      }),
    );
  }

  #leaveAll(): Promise<void> {
    return this.#leave([...this.#open.keys()]);
  }

  async #leave(keys: readonly string[]): Promise<void> {
    const left = keys.flatMap((key) => this.#open.get(key) ?? []);
    for (const key of keys) this.#open.delete(key);
    for (const { seat } of left) seat.leave();
    if (left.length > 0) await this.#parts.looks.endLooks(left.map(({ lookId }) => lookId));
  }

  #fail(err: unknown): void {
    if (this.#abort.signal.aborted) return;
    const isOurs = err instanceof HuishiError;
    if (!isOurs) this.#parts.logger.error({ err }, "socket request failed");
    const code = isOurs ? err.code : "INTERNAL";
    const message = isOurs ? err.message : "The server could not do this; try again.";
    this.sendText(serialise({ t: "error", code, message }));
    this.close(isOurs ? SOCKET_CLOSE.badMessage : 1011, code);
  }
}

function readMessage(data: RawData): ClientMessage | null {
  const text = Buffer.isBuffer(data) ? data.toString("utf8") : "";
  try {
    const message: unknown = JSON.parse(text);
    return clientMessage.Check(message) ? message : null;
  } catch {
    return null;
  }
}
