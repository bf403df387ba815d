import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type Breach, PacketGauge } from "../../domain/packet-gauge.ts";
import type { ConnectionKind } from "../../domain/topic-rights.ts";

/** From accept (or the end of the TLS handshake) to CONNACK at most. */
const SIGN_IN_MS = 5_000;
const PINGRESP = Buffer.from([0xd0, 0x00]);

/** Holds back reading while the service has no room. */
export interface ReadGate {
  readonly isOpen: boolean;
  onOpen(listener: () => void): () => void;
}

export type ConnectionFault = Breach | "SIGN_IN_TIMEOUT" | "KEEP_ALIVE_TIMEOUT";

/**
 * A socket as aedes sees it. Its bytes pass a gauge first, so that an oversized packet ends the connection before
 * anything buffers it, and reading stops while the gate is closed: back-pressure down to the sender's TCP window.
 *
 * Pings are answered here and not by aedes, which reads nothing of a client while one of its events waits for the
 * commit: a client whose ping is not answered would come back with the same events again and again.
 */
export class GuardedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #gauge = new PacketGauge();
  readonly #gate: ReadGate;
  readonly #onFault: (fault: ConnectionFault) => void;
  readonly #signInTimer: NodeJS.Timeout;
  #keepAliveTimer: NodeJS.Timeout | undefined;
  #heardAtMs = 0;
  #stopWaiting: (() => void) | null = null;
  #isGated = false;

  constructor(socket: Socket, gate: ReadGate, onFault: (fault: ConnectionFault) => void) {
    super({ readableHighWaterMark: 256 * 1024, writableHighWaterMark: 64 * 1024, allowHalfOpen: false });
    this.#socket = socket;
    this.#gate = gate;
    this.#onFault = onFault;
    this.#signInTimer = setTimeout(() => this.#fail("SIGN_IN_TIMEOUT"), SIGN_IN_MS);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
    socket.on("error", (error) => this.destroy(error));
    socket.pause();
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /**
   * The client has signed in: its own limits hold now, and events wait at the gate.
   *
   * @param keepAliveSeconds of its CONNECT; 0 for none
   */
  authenticated(kind: ConnectionKind, keepAliveSeconds: number): void {
    clearTimeout(this.#signInTimer);
    this.#gauge.authenticated(kind);
    this.#isGated = kind !== "media";
    if (keepAliveSeconds === 0) return;
    this.#heardAtMs = performance.now();
    // Silence for one and a half times the keep-alive ends the connection (§3.1.2.10).
    this.#keepAliveTimer = setInterval(
      () => this.#checkKeepAlive(keepAliveSeconds * 1_500),
      keepAliveSeconds * 500,
    );
  }

  #checkKeepAlive(maxSilenceMs: number): void {
    // While we do not read, the silence is ours.
    if (this.#socket.isPaused()) this.#heardAtMs = performance.now();
    else if (performance.now() - this.#heardAtMs > maxSilenceMs) this.#fail("KEEP_ALIVE_TIMEOUT");
  }

  #take(chunk: Buffer): void {
    this.#heardAtMs = performance.now();
    const breach = this.#gauge.feed(chunk);
    if (breach) {
      this.#fail(breach);
      return;
    }
    if (this.#gauge.pings > 0) this.#socket.write(PINGRESP);
    let hasRoom = true;
    for (const part of this.#gauge.withoutPings(chunk)) hasRoom = this.push(part);
    if (!hasRoom || (this.#isGated && !this.#gate.isOpen)) this.#socket.pause();
  }

  #fail(fault: ConnectionFault): void {
    this.#onFault(fault);
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
    clearInterval(this.#keepAliveTimer);
    this.#stopWaiting?.();
    this.#socket.destroy();
    callback(error);
  }
}
