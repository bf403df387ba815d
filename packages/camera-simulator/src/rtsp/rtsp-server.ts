/** The RTSP side of a simulated camera (RFC 2326): listens, owns connections and sessions, ends silent ones. */
import { randomBytes } from "node:crypto";
import { type Server, type Socket, createServer } from "node:net";
import { FaultState } from "../faults/fault-state.ts";
import { seededRandom } from "../faults/random.ts";
import { listen } from "../listen.ts";
import { steadyNowMs } from "../source/steady-time.ts";
import { MAX_CONNECTIONS } from "./rtsp-limits.ts";
import { RtspConnection } from "./rtsp-connection.ts";
import type { RtspServerOptions, RtspServerState } from "./rtsp-server-state.ts";

/** A connection that plays nothing must send a request this often. */
const IDLE_CONNECTION_MS = 60_000;

export class RtspServer {
  readonly #server: Server;
  readonly #connections = new Set<RtspConnection>();
  readonly #state: RtspServerState;
  #sweepTimer: NodeJS.Timeout | undefined;
  #connectionsTotal = 0;
  #port = 0;

  constructor(options: RtspServerOptions) {
    this.#state = {
      options,
      sessions: new Map(),
      random32: () => randomBytes(4).readUInt32BE(),
      faults: new FaultState(),
      faultRandom: seededRandom(0x5eed),
      isMuted: false,
      refusesAll: false,
      failedSignIns: 0,
      droppedUnits: 0,
    };
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws SimulatorError SIMULATOR_PORT_UNAVAILABLE */
  async start(): Promise<void> {
    const { host, port, sessionTimeoutMs } = this.#state.options;
    this.#port = await listen(this.#server, host, port, "RTSP server");
    this.#sweepTimer = setInterval(() => this.#sweep(), Math.min(5000, Math.max(100, sessionTimeoutMs / 4)));
  }

  get port(): number {
    return this.#port;
  }

  get statistics(): {
    playingSessions: number;
    rtspConnections: number;
    rtspConnectionsTotal: number;
    failedSignIns: number;
    droppedUnits: number;
  } {
    return {
      playingSessions: [...this.#state.sessions.values()].filter((session) => session.isPlaying).length,
      rtspConnections: this.#connections.size,
      rtspConnectionsTotal: this.#connectionsTotal,
      failedSignIns: this.#state.failedSignIns,
      droppedUnits: this.#state.droppedUnits,
    };
  }

  get faults(): FaultState {
    return this.#state.faults;
  }

  stopPackets(on: boolean): void {
    this.#state.isMuted = on;
  }

  refuseAuth(on: boolean): void {
    this.#state.refusesAll = on;
  }

  dropClients(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const session of this.#state.sessions.values()) session.close();
    this.#state.sessions.clear();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweepTimer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.dropClients();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#connectionsTotal += 1;
    const connection = new RtspConnection(socket, this.#state, () => this.#connections.delete(connection));
    this.#connections.add(connection);
  }

  /** Ends sessions over UDP whose client is silent, and connections that do nothing. */
  #sweep(): void {
    const nowMs = steadyNowMs();
    for (const session of this.#state.sessions.values()) {
      if (
        nowMs - session.lastSeenMs < this.#state.options.sessionTimeoutMs ||
        session.transport.endsWithConnection
      )
        continue;
      session.close();
      this.#state.sessions.delete(session.id);
    }
    for (const connection of this.#connections) {
      if (!connection.hasSession && nowMs - connection.lastRequestMs > IDLE_CONNECTION_MS)
        connection.destroy();
    }
  }
}
