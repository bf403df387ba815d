import { isIP, type Socket } from "node:net";
import {
  Aedes,
  type AedesPublishPacket,
  type Client,
  type ConnectPacket,
  type PublishPacket,
  type Subscription,
} from "aedes";
import { ackTopic, type EventAck, parseTopic } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { type Logger, repeatSummary } from "@huishi/platform";
import { type EntranceHandlers, type MqttEntrance, REVOCATION_CHECK_MS } from "../../application/entrance.ts";
import type { BatchReceipt } from "../../domain/event-validation.ts";
import {
  mayLeaveWill,
  mayPublish,
  maySubscribe,
  type Session,
  sessionOf,
} from "../../domain/topic-rights.ts";
import { GuardedConnection, type ReadGate } from "./guarded-connection.ts";
import { Listener } from "./listener.ts";
import { refusal, type RefusalReason } from "./refusals.ts";
import { type TlsFilePaths, TlsFiles } from "./tls-files.ts";

/** aedes disconnects a subscriber that takes nothing for this long, so that it starves no other. */
const DRAIN_TIMEOUT_MS = 1_000;

export interface EndpointOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** TLS handshakes count. */
  readonly maxUnauthenticated: number;
  /** Without it the endpoint speaks plain TCP ... */
  readonly tls?: TlsFilePaths;
  /** ... and that on a loopback address only, unless this is set. */
  readonly allowPlain?: boolean;
  readonly gate: ReadGate;
  readonly handlers: EntranceHandlers;
  readonly onRefusal: (reason: RefusalReason) => void;
  readonly logger: Logger;
}

/**
 * The MQTT 3.1.1 endpoint: aedes in process, each connection behind a guard. A publish is handed to the service
 * before it is acknowledged. Sessions are always clean (§3.1.2.4): nothing piles up for an agent that is away.
 */
export class MqttEndpoint implements MqttEntrance {
  readonly #options: EndpointOptions;
  readonly #broker: Aedes;
  readonly #tls: TlsFiles | null;
  readonly #connections = new Set<GuardedConnection>();
  readonly #signingIn = new Set<GuardedConnection>();
  readonly #connects = new WeakMap<Client, ConnectPacket>();
  readonly #sessions = new WeakMap<Client, Session>();
  /** The connection that holds each client id now: a takeover's old one is not in here any more. */
  readonly #current = new Map<string, Client>();
  /** Events connections that listen to their acknowledgements. */
  readonly #ackListeners = new WeakSet<Client>();
  readonly #repeats = repeatSummary();
  #listener: Listener | null = null;
  #revocationTimer: NodeJS.Timeout | undefined;

  private constructor(options: EndpointOptions, broker: Aedes, tls: TlsFiles | null) {
    this.#options = options;
    this.#broker = broker;
    this.#tls = tls;
  }

  /**
   * Errors: MQTT_PORT_TAKEN, MQTT_ENDPOINT_FAILED, MQTT_PLAIN_REFUSED, MQTT_TLS_UNREADABLE, MQTT_TLS_INVALID.
   */
  static async start(options: EndpointOptions): Promise<MqttEndpoint> {
    const { host, logger } = options;
    if (!options.tls && !options.allowPlain && !isLoopback(host)) throw plainRefused(host);
    const tls = options.tls
      ? await TlsFiles.open(options.tls, (err) =>
          logger.error({ err }, "the renewed TLS files cannot be used; the old ones stay in use"),
        )
      : null;
    const broker = await Aedes.createBroker({
      drainTimeout: DRAIN_TIMEOUT_MS,
      connectTimeout: 5_000,
      maxTopicLevels: 8,
      maxInflightInbound: 1,
    });
    const endpoint = new MqttEndpoint(options, broker, tls);
    endpoint.#wire();
    try {
      await endpoint.#listen();
    } catch (thrown) {
      await endpoint.close();
      throw thrown;
    }
    return endpoint;
  }

  get description(): string {
    return `endpoint ${this.#tls ? "mqtts" : "mqtt"}://${this.#options.host}:${this.port}`;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get isConnected(): boolean {
    return this.#listener !== null;
  }

  get connectionCount(): number {
    return this.#connections.size + (this.#listener?.handshakes ?? 0);
  }

  /** Keeps a message for whoever subscribes to the topic now or later. */
  publishRetained(topic: string, payload: Buffer): void {
    const packet = { cmd: "publish", topic, payload, qos: 1, retain: true, dup: false } as const;
    this.#broker.publish(packet as unknown as PublishPacket, () => {});
  }

  publish(topic: string, payload: Buffer): void {
    const packet = { cmd: "publish", topic, payload, qos: 1, retain: false, dup: false } as const;
    this.#broker.publish(packet as unknown as PublishPacket, () => {});
  }

  cut(agentId: string): void {
    for (const client of this.#current.values()) {
      if (this.#sessions.get(client)?.agentId === agentId) client.close();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#revocationTimer);
    this.#tls?.close();
    const listenerClosed = this.#listener?.close();
    this.#listener = null;
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()));
    await listenerClosed;
  }

  async #listen(): Promise<void> {
    const { host, port, maxConnections, maxUnauthenticated } = this.#options;
    this.#listener = await Listener.start({
      host,
      port,
      maxConnections,
      tls: this.#tls,
      mayAccept: () => {
        const unauthenticated = this.#signingIn.size + (this.#listener?.handshakes ?? 0);
        if (unauthenticated < maxUnauthenticated) return true;
        this.#refused("TOO_MANY_UNAUTHENTICATED", {});
        return false;
      },
      onConnection: (socket) => this.#accept(socket),
      onHandshakeFailed: (err, remoteAddress) => this.#refused("TLS_HANDSHAKE", { err, remoteAddress }),
    });
  }

  #accept(socket: Socket): void {
    const connection = new GuardedConnection(socket, this.#options.gate, (fault) => {
      this.#refused(fault, { remoteAddress: socket.remoteAddress });
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
    broker.on("subscribe", (subscriptions, client: Client) => this.#onSubscribed(subscriptions, client));
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
    const { keepalive = 0 } = packet;
    this.#connects.set(client, { ...packet, keepalive });
    // The guard answers pings and watches for silence.
    Object.assign(packet, { clean: true, keepalive: 0 });
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
      connection.authenticated(outcome.kind, this.#connects.get(client)?.keepalive ?? 0);
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
    const session = sessionOf(username, connect.clientId);
    if (!session) return "FOREIGN_CLIENT_ID";
    const { will } = connect;
    if (will && !mayLeaveWill(session, will.topic, will.qos ?? 0)) return "FOREIGN_WILL";
    try {
      const judgement = await this.#options.handlers.judge(session.agentId, password);
      if (judgement === "revoked") return "AGENT_REVOKED";
      return judgement === "genuine" ? session : "BAD_CREDENTIALS";
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
      case "upload":
        void this.#acceptUpload(topic.agentId, topic.transferId, packet, done);
        return;
      case "reply":
        void this.#acceptReply(topic.agentId, payload, done);
        return;
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
      const receipt = await this.#options.handlers.acceptEvents(client, agentId, topic, payload);
      if (receipt && this.#ackListeners.has(client)) this.#sendAck(agentId, receipt);
    } catch (thrown) {
      fault = thrown as Error;
    }
    done(fault);
  }

  async #acceptReply(agentId: string, payload: Uint8Array, done: () => void): Promise<void> {
    await this.#options.handlers.acceptReply(agentId, payload);
    done();
  }

  /** `done` sends the PUBACK: when the bytes are on the disk. A fault ends the connection, and they come again. */
  async #acceptUpload(
    agentId: string,
    transferId: string,
    { topic, payload }: PublishPacket | AedesPublishPacket,
    done: (error?: Error | null) => void,
  ): Promise<void> {
    let fault: Error | null = null;
    try {
      await this.#options.handlers.acceptUpload(agentId, transferId, topic, payload as Buffer);
    } catch (thrown) {
      fault = thrown as Error;
    }
    done(fault);
  }

  /** For an agent whose configuration fits a broker too; the PUBACK says the same. */
  #sendAck(agentId: string, receipt: BatchReceipt): void {
    this.publish(ackTopic(agentId), Buffer.from(JSON.stringify({ v: 1, ...receipt } satisfies EventAck)));
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

  #onSubscribed(subscriptions: readonly Subscription[], client: Client): void {
    const session = this.#sessions.get(client);
    if (!session) return;
    // Refused subscriptions come in here too.
    const granted = subscriptions.filter(({ topic }) => maySubscribe(session, topic));
    const kinds = new Set(granted.map(({ topic }) => parseTopic(topic)?.kind ?? "demand"));
    if (kinds.has("ack")) this.#ackListeners.add(client);
    if (kinds.has("demand")) this.#options.handlers.subscribedToDemands(session.agentId);
    if (kinds.has("command") || kinds.has("config"))
      this.#options.handlers.subscribedToControl(session.agentId);
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
    this.#options.handlers.connectionLost(client);
    if (isCurrent) this.#options.handlers.disconnected(session);
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

function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "localhost" || host === "::1";
}

function plainRefused(host: string): HuishiError {
  return new HuishiError(
    "MQTT_PLAIN_REFUSED",
    `without TLS the MQTT endpoint does not listen on ${host}, where passwords could be read on the way: set HUISHI_MQTT_TLS_KEY and HUISHI_MQTT_TLS_CERT, or HUISHI_MQTT_PLAIN=allow`,
    { details: { host } },
  );
}
