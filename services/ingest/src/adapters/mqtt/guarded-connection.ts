import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type Breach, PacketGauge } from "../../domain/packet-gauge.ts";
import type { ConnectionKind } from "../../domain/topic-rights.ts";

/** From accept to CONNACK at most. */
const SIGN_IN_MS = 5_000;

/** Holds back reading while the service has no room. */
export interface ReadGate {
  readonly isOpen: boolean;
  onOpen(listener: () => void): () => void;
}

/**
 * A socket as aedes sees it. Its bytes pass a gauge first, so that an oversized packet ends the connection before
 * anything buffers it, and reading stops while the gate is closed: back-pressure down to the sender's TCP window.
 */
export class GuardedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #gauge = new PacketGauge();
  readonly #gate: ReadGate;
  readonly #onBreach: (breach: Breach | "SIGN_IN_TIMEOUT") => void;
  readonly #signInTimer: NodeJS.Timeout;
  #stopWaiting: (() => void) | null = null;
  #isGated = false;

  constructor(socket: Socket, gate: ReadGate, onBreach: (breach: Breach | "SIGN_IN_TIMEOUT") => void) {
    super({ readableHighWaterMark: 256 * 1024, writableHighWaterMark: 64 * 1024, allowHalfOpen: false });
    this.#socket = socket;
    this.#gate = gate;
    this.#onBreach = onBreach;
    this.#signInTimer = setTimeout(() => this.#breach("SIGN_IN_TIMEOUT"), SIGN_IN_MS);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
    socket.on("error", (error) => this.destroy(error));
    socket.pause();
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** The client has signed in: its own limits hold now, and events wait at the gate. */
  authenticated(kind: ConnectionKind): void {
    clearTimeout(this.#signInTimer);
    this.#gauge.authenticated(kind);
    this.#isGated = kind === "events";
  }

  #take(chunk: Buffer): void {
    const breach = this.#gauge.feed(chunk);
    if (breach) this.#breach(breach);
    else if (!this.push(chunk) || (this.#isGated && !this.#gate.isOpen)) this.#socket.pause();
  }

  #breach(breach: Breach | "SIGN_IN_TIMEOUT"): void {
    this.#onBreach(breach);
    this.destroy();
  }

  override _read(): void {
    if (!this.#isGated || this.#gate.isOpen) {
      this.#socket.resume();
      return;
    }
    this.#stopWaiting ??= this.#gate.onOpen(() => {
      this.#stopWaiting?.();
      this.#stopWaiting = null;
      this.#socket.resume();
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#signInTimer);
    this.#stopWaiting?.();
    this.#socket.destroy();
    callback(error);
  }
}
