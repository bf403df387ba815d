import { SOCKET_CLOSE, SOCKET_PATH } from "@huishi/contracts";
import { type Runnable, sleep } from "@huishi/kernel";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Identity, StoredSession } from "../../application/identity.ts";
import { isOwnOrigin, sessionCookieName } from "../../domain/browser-trust.ts";
import { isAllowed } from "../../domain/rights.ts";
import { ClientConnection, type ConnectionParts } from "./client-connection.ts";

export interface SocketServerParts extends ConnectionParts {
  readonly identity: Identity;
  /** Which of these sessions go on, as hex digests. */
  readonly liveSessions: (tokenHashes: readonly Buffer[], nowMs: number) => Promise<Set<string>>;
  readonly publicOrigin: string | null;
}

interface Refusal {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

const TICK_MS = 1_000;
const SWEEP_EVERY_TICKS = 2;
const HEARTBEAT_EVERY_TICKS = 15;
const MAX_PAYLOAD_BYTES = 64 * 1024;
const MAX_SOCKETS = 2_000;
const MAX_SOCKETS_PER_SESSION = 32;

/**
 * The WebSocket endpoint: authenticates the upgrade (session cookie, own Origin), keeps the list of
 * connections, pings them, and closes those whose session ended.
 */
export class SocketServer implements Runnable {
  readonly name = "socket server";
  readonly #parts: SocketServerParts;
  readonly #connections = new Set<ClientConnection>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    // Compression costs 2.7 times the CPU and queues 123 MB in 4 s under load (shared/facts.md).
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    clientTracking: false,
  });
  readonly #disposals = new Set<Promise<void>>();
  #isClosing = false;

  constructor(parts: SocketServerParts) {
    this.#parts = parts;
  }

  get connections(): number {
    return this.#connections.size;
  }

  attach(server: Server): void {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const onError = (): void => void socket.destroy();
      socket.on("error", onError);
      this.#admit(request)
        .then((admitted) => {
          if ("code" in admitted) refuse(socket, admitted);
          else if (!socket.destroyed) {
            socket.off("error", onError);
            this.#sockets.handleUpgrade(request, socket, head, (client) => {
              this.#open(new ClientConnection(client, admitted, this.#parts), client);
            });
          }
        })
        .catch((err: unknown) => {
          this.#parts.logger.error({ err }, "socket upgrade failed");
          refuse(socket, {
            status: "503 Service Unavailable",
            code: "DATABASE_UNAVAILABLE",
            message: "Try again.",
          });
        });
    });
  }

  /** Heartbeats, back-pressure limits and the end of sessions, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let ticks = 1; ; ticks++) {
      await sleep(TICK_MS, signal);
      const nowMs = this.#parts.clock.nowMs();
      for (const connection of this.#connections) connection.tick(nowMs);
      if (ticks % SWEEP_EVERY_TICKS === 0) await this.#closeEndedSessions(nowMs);
      if (ticks % HEARTBEAT_EVERY_TICKS === 0)
        for (const connection of this.#connections) connection.heartbeat();
    }
  }

  /** Closes the sockets of a session that was signed out in this process; others are found by the sweep. */
  endSession(tokenHash: Buffer): void {
    for (const connection of this.#connections) {
      if (connection.session.tokenHash.equals(tokenHash)) endOf(connection);
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const connection of this.#connections) connection.close(SOCKET_CLOSE.goingAway, "the server stops");
    for (const connection of this.#connections) this.#dispose(connection);
    await Promise.all(this.#disposals);
  }

  #open(connection: ClientConnection, client: { on(event: "close", listener: () => void): void }): void {
    this.#connections.add(connection);
    client.on("close", () => this.#dispose(connection));
  }

  #dispose(connection: ClientConnection): void {
    if (!this.#connections.delete(connection)) return;
    const disposal = connection
      .dispose()
      .catch((err: unknown) => this.#parts.logger.warn({ err }, "the end of a look was not recorded"))
      .finally(() => this.#disposals.delete(disposal));
    this.#disposals.add(disposal);
  }

  async #admit(request: IncomingMessage): Promise<StoredSession | Refusal> {
    const { host, origin } = request.headers;
    if ((request.url ?? "").split("?", 1)[0] !== SOCKET_PATH) {
      return {
        status: "404 Not Found",
        code: "ROUTE_NOT_FOUND",
        message: `The WebSocket is at ${SOCKET_PATH}.`,
      };
    }
    if (origin === undefined || !isOwnOrigin({ origin, host }, this.#parts.publicOrigin)) {
      return {
        status: "403 Forbidden",
        code: "CROSS_SITE_REFUSED",
        message: "Origin is not this server's own.",
      };
    }
    const isHttps = this.#parts.publicOrigin?.startsWith("https:") ?? false;
    const token = readCookie(request.headers.cookie ?? "", sessionCookieName(isHttps));
    const found = token === null ? null : await this.#parts.identity.findSession(token);
    if (found === null)
      return { status: "401 Unauthorized", code: "NOT_SIGNED_IN", message: "Sign in first." };
    if (!isAllowed(found.session.user.role, "view")) {
      return { status: "403 Forbidden", code: "NOT_ALLOWED", message: "Your role does not allow this." };
    }
    return this.#hasRoomFor(found.session)
      ? found.session
      : { status: "503 Service Unavailable", code: "BUSY", message: "Too many sockets; close some." };
  }

  #hasRoomFor(session: StoredSession): boolean {
    if (this.#isClosing || this.#connections.size >= MAX_SOCKETS) return false;
    let ofSession = 0;
    for (const connection of this.#connections) {
      if (connection.session.tokenHash.equals(session.tokenHash)) ofSession += 1;
    }
    return ofSession < MAX_SOCKETS_PER_SESSION;
  }

  async #closeEndedSessions(nowMs: number): Promise<void> {
    if (this.#connections.size === 0) return;
    const hashes = new Map(
      [...this.#connections].map(({ session }) => [session.tokenHash.toString("hex"), session.tokenHash]),
    );
    try {
      const live = await this.#parts.liveSessions([...hashes.values()], nowMs);
      for (const connection of this.#connections) {
        if (!live.has(connection.session.tokenHash.toString("hex"))) endOf(connection);
      }
    } catch (err) {
      // Without the database a session still ends at the time that was known when the socket opened.
      this.#parts.logger.warn({ err }, "sessions of sockets could not be checked");
      for (const connection of this.#connections) {
        if (connection.session.expiresAtMs <= nowMs) endOf(connection);
      }
    }
  }
}

function endOf(connection: ClientConnection): void {
  connection.close(SOCKET_CLOSE.sessionEnded, "the session ended; sign in again");
}

/** Value of one cookie (RFC 6265 §5.4); our tokens are base64url and need no decoding. */
function readCookie(header: string, name: string): string | null {
  for (const part of header.split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value !== undefined) return value;
  }
  return null;
}

function refuse(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify({ code: refusal.code, message: refusal.message });
  socket.end(
    `HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
