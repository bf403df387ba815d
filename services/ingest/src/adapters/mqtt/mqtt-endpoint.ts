import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import {
  Aedes,
  type AedesPublishPacket,
  type Client,
  type ConnectPacket,
  type PublishPacket,
  type Subscription,
} from "aedes";
import { HuishiError } from "@huishi/kernel";
import { type Logger, repeatSummary } from "@huishi/platform";
import {
  type ConnectionKind,
  connectionKindOf,
  mayLeaveWill,
  mayPublish,
  maySubscribe,
  type Session,
} from "../../domain/topic-rights.ts";
import { GuardedConnection, type ReadGate } from "./guarded-connection.ts";
import { refusal, type RefusalReason } from "./refusals.ts";

/** aedes disconnects a subscriber that takes nothing for this long, so that it starves no other. */
const DRAIN_TIMEOUT_MS = 1_000;
const REVOCATION_CHECK_MS = 10_000;

/** What the endpoint needs of the service behind it. */
interface EndpointHandlers {
  /** Resolves when committed: only then is the PUBACK sent. */
  acceptEvents(connection: object, agentId: string, topic: string, payload: Uint8Array): Promise<void>;
  acceptStatus(agentId: string, payload: Uint8Array): void;
  acceptMedia(agentId: string, cameraId: string, profile: "main" | "sub", fragment: Uint8Array): void;
  connected(session: Session): void;
  disconnected(session: Session, connection: object): void;
  subscribedToDemands(agentId: string): void;
  isGenuine(agentId: string, secret: Uint8Array): Promise<boolean>;
  revokedAmong(agentIds: readonly string[]): Promise<readonly string[]>;
}

export interface EndpointOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly maxUnauthenticated: number;
  readonly gate: ReadGate;
  readonly handlers: EndpointHandlers;
  readonly onRefusal: (reason: RefusalReason) => void;
  readonly logger: Logger;
}

/**
 * The MQTT 3.1.1 endpoint: aedes in process, each connection behind a guard. A publish is handed to the service
 * before it is acknowledged. Sessions are always clean (§3.1.2.4): nothing piles up for an agent that is away.
 */
export class MqttEndpoint {
  readonly #options: EndpointOptions;
  readonly #broker: Aedes;
  readonly #server: Server;
  readonly #connections = new Set<GuardedConnection>();
  readonly #signingIn = new Set<GuardedConnection>();
  readonly #connects = new WeakMap<Client, ConnectPacket>();
  readonly #sessions = new WeakMap<Client, Session>();
  /** The connection that holds each client id now: a takeover's old one is not in here any more. */
  readonly #current = new Map<string, Client>();
  readonly #repeats = repeatSummary();
  #revocationTimer: NodeJS.Timeout | undefined;

  private constructor(options: EndpointOptions, broker: Aedes) {
    this.#options = options;
    this.#broker = broker;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  /** Errors: MQTT_PORT_TAKEN, MQTT_ENDPOINT_FAILED. */
  static async start(options: EndpointOptions): Promise<MqttEndpoint> {
    const broker = await Aedes.createBroker({
      drainTimeout: DRAIN_TIMEOUT_MS,
      connectTimeout: 5_000,
      maxTopicLevels: 8,
      maxInflightInbound: 1,
    });
    const endpoint = new MqttEndpoint(options, broker);
    endpoint.#wire();
    try {
      await endpoint.#listen();
    } catch (thrown) {
      await endpoint.close();
      throw thrown;
    }
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Keeps a message for whoever subscribes to the topic now or later. */
  publishRetained(topic: string, payload: Buffer): void {
    const packet = { cmd: "publish", topic, payload, qos: 1, retain: true, dup: false } as const;
    this.#broker.publish(packet as unknown as PublishPacket, () => {});
  }

  async close(): Promise<void> {
    clearInterval(this.#revocationTimer);
    const serverClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()));
    await serverClosed;
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause: NodeJS.ErrnoException) => {
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
      this.#server.listen(port, host, () => resolve());
    });
  }

  #accept(socket: Socket): void {
    if (this.#signingIn.size >= this.#options.maxUnauthenticated) {
      this.#options.onRefusal("TOO_MANY_UNAUTHENTICATED");
      socket.destroy();
      return;
    }
    const connection = new GuardedConnection(socket, this.#options.gate, (breach) => {
      this.#refused(breach, { remoteAddress: socket.remoteAddress });
    });
    this.#connections.add(connection);
    this.#signingIn.add(connection);
    connection.once("close", () => {
      this.#connections.delete(connection);
      this.#signingIn.delete(connection);
    });
    this.#broker.handle(connection);
  }

  #wire(): void {
    const broker = this.#broker;
    broker.preConnect = this.#preConnect.bind(this);
    broker.authenticate = this.#authenticate.bind(this);
    broker.authorizePublish = this.#authorizePublish.bind(this);
    broker.authorizeSubscribe = this.#authorizeSubscribe.bind(this);
    broker.on("client", (client: Client) => this.#onConnected(client));
    broker.on("clientDisconnect", (client: Client) => this.#onDisconnected(client));
    broker.on("subscribe", (_subscriptions, client: Client) => {
      const session = this.#sessions.get(client);
      if (session) this.#options.handlers.subscribedToDemands(session.agentId);
    });
    for (const event of ["clientError", "connectionError"] as const) {
      broker.on(event, (client: Client, err: Error) => {
        const agentId = this.#sessions.get(client)?.agentId;
        const swallowed = this.#repeats.note(`${event} ${err.message}`);
        if (swallowed !== null)
          this.#options.logger.info({ agentId, err, swallowed }, "an MQTT connection failed");
      });
    }
    (broker as NodeJS.EventEmitter).on("error", (err: Error) =>
      this.#options.logger.error({ err }, "the MQTT endpoint failed inside"),
    );
    this.#revocationTimer = setInterval(() => void this.#closeRevoked(), REVOCATION_CHECK_MS);
    this.#revocationTimer.unref();
  }

  #preConnect(
    client: Client,
    packet: ConnectPacket,
    done: (error: Error | null, success: boolean) => void,
  ): void {
    (packet as { clean?: boolean }).clean = true;
    this.#connects.set(client, packet);
    done(null, true);
  }

  #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: (Error & { returnCode: number }) | null, success: boolean | null) => void,
  ): void {
    const answer = async (): Promise<void> => {
      const outcome = await this.#judge(client, username, password);
      if (typeof outcome === "string") {
        this.#refused(outcome, { agentId: username?.slice(0, 64) });
        done(refusal(outcome), false);
        return;
      }
      this.#sessions.set(client, outcome);
      const connection = client.conn as GuardedConnection;
      connection.authenticated(outcome.kind);
      this.#signingIn.delete(connection);
      done(null, true);
    };
    void answer();
  }

  async #judge(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<Session | RefusalReason> {
    const connect = this.#connects.get(client);
    if (!connect || !username || !password) return "BAD_CREDENTIALS";
    const kind: ConnectionKind | null = connectionKindOf(username, connect.clientId);
    if (kind === null) return "FOREIGN_CLIENT_ID";
    const session: Session = { agentId: username, kind };
    const { will } = connect;
    if (will && !mayLeaveWill(session, will.topic, will.qos ?? 0)) return "FOREIGN_WILL";
    try {
      return (await this.#options.handlers.isGenuine(username, password)) ? session : "BAD_CREDENTIALS";
    } catch (err) {
      const swallowed = this.#repeats.note("authentication");
      if (swallowed !== null) this.#options.logger.warn({ err, swallowed }, "an agent could not be checked");
      return "DIRECTORY_UNAVAILABLE";
    }
  }

  #authorizePublish(
    client: Client | null,
    packet: PublishPacket | AedesPublishPacket,
    done: (error?: Error | null) => void,
  ): void {
    const session = client ? this.#sessions.get(client) : undefined;
    const topic = session && mayPublish(session, packet.topic, packet.qos);
    if (!client || !topic) {
      this.#refused("FOREIGN_TOPIC", { agentId: session?.agentId });
      done(refusal("FOREIGN_TOPIC"));
      return;
    }
    // Nobody subscribes to what agents say; keeping it for later would only take memory.
    packet.retain = false;
    const { handlers } = this.#options;
    const payload = packet.payload as Buffer;
    switch (topic.kind) {
      case "events":
        void this.#acceptEvents(client, topic.agentId, packet.topic, payload, done);
        return;
      case "status":
        // The Will of a connection that was taken over says nothing about the one that took over.
        if (this.#current.get(client.id) === client) handlers.acceptStatus(topic.agentId, payload);
        break;
      case "media":
        handlers.acceptMedia(topic.agentId, topic.cameraId, topic.stream, payload);
        break;
      default:
    }
    done(null);
  }

  /** `done` sends the PUBACK: strictly after the commit. */
  async #acceptEvents(
    client: Client,
    agentId: string,
    topic: string,
    payload: Uint8Array,
    done: (error?: Error | null) => void,
  ): Promise<void> {
    let fault: Error | null = null;
    try {
      await this.#options.handlers.acceptEvents(client, agentId, topic, payload);
    } catch (thrown) {
      fault = thrown as Error;
    }
    done(fault);
  }

  #authorizeSubscribe(
    client: Client,
    subscription: Subscription,
    done: (error: Error | null, subscription?: Subscription | null) => void,
  ): void {
    const session = this.#sessions.get(client);
    if (session && maySubscribe(session, subscription.topic)) {
      done(null, subscription);
      return;
    }
    this.#refused("FOREIGN_SUBSCRIPTION", { agentId: session?.agentId });
    // Answered with SUBACK return code 0x80 (§3.9.3).
    done(null, null);
  }

  #onConnected(client: Client): void {
    const session = this.#sessions.get(client);
    if (!session) return;
    this.#current.set(client.id, client);
    this.#options.logger.info({ agentId: session.agentId, connection: session.kind }, "agent connected");
    this.#options.handlers.connected(session);
  }

  #onDisconnected(client: Client): void {
    const session = this.#sessions.get(client);
    if (!session) return;
    const isCurrent = this.#current.get(client.id) === client;
    if (isCurrent) this.#current.delete(client.id);
    this.#options.logger.info(
      { agentId: session.agentId, connection: session.kind, isCurrent },
      "agent disconnected",
    );
    if (isCurrent) this.#options.handlers.disconnected(session, client);
  }

  /** A revoked agent's open connections end too. */
  async #closeRevoked(): Promise<void> {
    const agentIds = [
      ...new Set([...this.#current.values()].map((client) => this.#sessions.get(client)?.agentId ?? "")),
    ];
    if (agentIds.length === 0) return;
    try {
      const revoked = new Set(await this.#options.handlers.revokedAmong(agentIds));
      for (const client of this.#current.values()) {
        if (revoked.has(this.#sessions.get(client)?.agentId ?? "")) client.close();
      }
    } catch (err) {
      const swallowed = this.#repeats.note("revocation");
      if (swallowed !== null)
        this.#options.logger.warn({ err, swallowed }, "revoked agents could not be looked up");
    }
  }

  #refused(reason: RefusalReason, fields: Record<string, unknown>): void {
    this.#options.onRefusal(reason);
    const swallowed = this.#repeats.note(reason);
    if (swallowed !== null)
      this.#options.logger.warn({ reason, ...fields, swallowed }, "an MQTT client was refused");
  }
}
