import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { HuishiError } from "@huishi/kernel";
import type { TlsFiles } from "./tls-files.ts";

/** A TLS handshake takes this long at most; sign-in has its own time afterwards. */
const HANDSHAKE_MS = 5_000;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly tls: TlsFiles | null;
  /** May one more begin? Handshakes under way are counted by `handshakes`. */
  mayAccept(): boolean;
  /** A connection ready for MQTT: its handshake, if there is one, is done. */
  onConnection(socket: Socket): void;
  onHandshakeFailed(fault: unknown, remoteAddress: string | undefined): void;
}

/** Listens on TCP, with or without TLS. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #tlsServer: TlsServer | null;
  readonly #sockets = new Set<Socket>();
  /** By the peer's address and port: the TLS socket hands out no reference to the one below it. */
  readonly #handshakes = new Map<string, Socket>();

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#tlsServer = options.tls ? this.#serveTls(options.tls) : null;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  /** Errors: MQTT_PORT_TAKEN, MQTT_ENDPOINT_FAILED. */
  static async start(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      listener.#server.once("error", (cause: NodeJS.ErrnoException) => {
        const isTaken = cause.code === "EADDRINUSE";
        reject(
          new HuishiError(
            isTaken ? "MQTT_PORT_TAKEN" : "MQTT_ENDPOINT_FAILED",
            isTaken
              ? `port ${port} of the MQTT endpoint is taken: stop what uses it, or choose another port`
              : `the MQTT endpoint cannot listen on ${host}:${port}: ${cause.message}`,
            { cause, details: { host, port } },
          ),
        );
      });
      listener.#server.listen(port, host, () => resolve());
    });
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** TLS handshakes under way. */
  get handshakes(): number {
    return this.#handshakes.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    if (!this.#options.mayAccept()) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const peer = peerOf(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#handshakes.get(peer) === socket) this.#handshakes.delete(peer);
    });
    if (this.#tlsServer) {
      this.#handshakes.set(peer, socket);
      this.#tlsServer.emit("connection", socket);
    } else this.#options.onConnection(socket);
  }

  /** It does not listen itself: sockets are handed to it, after those above the limit were turned away. */
  #serveTls(files: TlsFiles): TlsServer {
    const server = createTlsServer(
      { ...files.current, ...TLS_POLICY, handshakeTimeout: HANDSHAKE_MS },
      (socket) => {
        this.#handshakes.delete(peerOf(socket));
        this.#options.onConnection(socket);
      },
    );
    server.on("tlsClientError", (fault, socket) => {
      this.#options.onHandshakeFailed(fault, socket.remoteAddress);
      socket.destroy();
    });
    files.onRenewed((pair) => server.setSecureContext({ ...pair, ...TLS_POLICY }));
    return server;
  }
}

const TLS_POLICY = { minVersion: "TLSv1.2" } as const;

const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
