import {
  ackTopic,
  configTopic,
  type EventAck,
  MAX_EVENT_BATCH_BYTES,
  MAX_FRAGMENT_BYTES,
  mediaClientId,
  parseTopic,
  TOPIC_ROOT,
} from "@huishi/contracts";
import { supervise } from "@huishi/kernel";
import { type Logger, repeatSummary } from "@huishi/platform";
import { AdmittedAgents } from "../../application/admitted-agents.ts";
import type { EntranceHandlers, MqttEntrance } from "../../application/entrance.ts";
import { readStatus } from "../../application/presence.ts";
import { BrokerAgents } from "./broker-agents.ts";
import { type BrokerAddress, openSocket, readBrokerFile } from "./broker-address.ts";
import { BrokerConnection, type Credentials, type MqttVersion } from "./broker-connection.ts";
import { OutgoingMessages } from "./outgoing-messages.ts";

/** Topic, packet id and MQTT 5 properties of a PUBLISH. */
const PUBLISH_OVERHEAD_BYTES = 1024;
const BACK_OFF = { baseDelayMs: 200, maxDelayMs: 10_000, healthyAfterMs: 5_000 } as const;

export interface BrokerOptions extends BrokerAddress {
  readonly version: MqttVersion;
  /** Account and client id of the events connection; that of media has `_media` appended to both. */
  readonly user?: string;
  /** Holds the password of both. */
  readonly passwordFile?: string;
  /** One for each ingest at the same broker. Default: the user, else `huishi-ingest`. */
  readonly clientId?: string;
  /** Default 30. */
  readonly keepAliveSeconds?: number;
  /** How many messages may wait for their commit at once. Default 50. */
  readonly window?: number;
  /** How long the broker keeps events while ingest is away (MQTT 5; else the broker's own setting). Default 1 h. */
  readonly sessionExpirySeconds?: number;
}

export interface BrokerEntranceOptions extends BrokerOptions {
  readonly handlers: EntranceHandlers;
  readonly onRefusal: (reason: "UNKNOWN_AGENT" | "FOREIGN_TOPIC" | "PACKET_TOO_LARGE") => void;
  readonly logger: Logger;
}

/**
 * Ingest as a client of an external broker (MQTT 3.1.1 or 5). A message is acknowledged to the broker after its
 * commit, and to the agent by an `EventAck`, which is what empties the agent's outbox: the broker's own PUBACK says
 * nothing about the database. The topic is the identity; the broker's access list guards it (deploy/mosquitto).
 *
 * Two connections: events and status; media, so that pictures delay no event.
 */
export class BrokerEntrance implements MqttEntrance {
  readonly #options: BrokerEntranceOptions;
  readonly #outgoing = new OutgoingMessages();
  readonly #agents: BrokerAgents;
  readonly #admitted: AdmittedAgents;
  readonly #repeats = repeatSummary();
  readonly #stop = new AbortController();
  readonly #up = new Set<"events" | "media">();
  readonly #running: Promise<unknown>;

  private constructor(options: BrokerEntranceOptions) {
    this.#options = options;
    const { handlers } = options;
    this.#agents = new BrokerAgents((agentId) => {
      handlers.disconnected({ agentId, kind: "media" });
      handlers.disconnected({ agentId, kind: "events" });
    });
    this.#admitted = new AdmittedAgents({
      revokedAmong: (agentIds) => handlers.revokedAmong(agentIds),
      onRevoked: (agentId) => this.#agents.offline(agentId),
      onFault: (err) => this.#warn("revoked agents could not be looked up", { err }),
    });
    this.#running = Promise.all([this.#supervise("events"), this.#supervise("media")]);
  }

  /** Dials in the background, as often as it takes: `isConnected` says when it got through. */
  static start(options: BrokerEntranceOptions): BrokerEntrance {
    return new BrokerEntrance(options);
  }

  get description(): string {
    return `broker ${this.#options.url}`;
  }

  get isConnected(): boolean {
    return this.#up.has("events");
  }

  get connectionCount(): number {
    return this.#up.size;
  }

  publishRetained(topic: string, payload: Buffer): void {
    this.#outgoing.publish({ topic, payload, retain: true });
  }

  publish(topic: string, payload: Buffer): void {
    this.#outgoing.publish({ topic, payload, retain: false });
  }

  cut(agentId: string): void {
    this.#admitted.revoke(agentId);
    // Its retained configuration would outlive it at the broker.
    this.publishRetained(configTopic(agentId), Buffer.alloc(0));
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("closing"));
    this.#admitted.close();
    this.#agents.close();
    await this.#running;
  }

  #supervise(kind: "events" | "media"): Promise<void> {
    const onFailure = ({ error: err, retryDelayMs }: { error: unknown; retryDelayMs: number }): void =>
      this.#warn(`the ${kind} connection to the MQTT broker failed`, { err, retryDelayMs });
    return supervise(this.#connection(kind), this.#stop.signal, { ...BACK_OFF, onFailure });
  }

  #connection(kind: "events" | "media"): BrokerConnection {
    const options = this.#options;
    const ofEvents = kind === "events";
    return new BrokerConnection({
      name: `MQTT broker (${kind})`,
      version: options.version,
      open: () => openSocket(options),
      credentials: () => this.#credentials(kind),
      sessionExpirySeconds: ofEvents ? (options.sessionExpirySeconds ?? 3_600) : 0,
      keepAliveSeconds: options.keepAliveSeconds ?? 30,
      window: options.window ?? 50,
      maxPacketBytes: (ofEvents ? MAX_EVENT_BATCH_BYTES : MAX_FRAGMENT_BYTES) + PUBLISH_OVERHEAD_BYTES,
      // Media comes at QoS 0 all the same: a subscription is a ceiling.
      qos: 1,
      filters: (canShare) =>
        ofEvents ? eventFilters(canShare) : [`${TOPIC_ROOT}/+/media/+/+`, `${TOPIC_ROOT}/+/upload/+`],
      ...(ofEvents && { outgoing: this.#outgoing }),
      onMessage: (connection, topic, payload) => this.#onMessage(connection, topic, payload),
      onOversized: (topic) => this.#refused("PACKET_TOO_LARGE", { topic: topic.slice(0, 200) }),
      onUp: () => this.#onUp(kind),
      onDown: (connection) => this.#onDown(kind, connection),
      onRefusedPublish: (reasonCode) =>
        this.#warn("the MQTT broker refused a message of ours: check its access list", { reasonCode }),
    });
  }

  async #credentials(kind: "events" | "media"): Promise<Credentials> {
    const { user, clientId = user ?? "huishi-ingest", passwordFile } = this.#options;
    const nameOf = (name: string): string => (kind === "media" ? mediaClientId(name) : name);
    return {
      clientId: nameOf(clientId),
      ...(user !== undefined && { username: nameOf(user) }),
      ...(passwordFile !== undefined && { password: withoutLineEnd(await readBrokerFile(passwordFile)) }),
    };
  }

  #onUp(kind: "events" | "media"): void {
    this.#up.add(kind);
    this.#options.logger.info(
      { broker: this.#options.url, connection: kind },
      "connected to the MQTT broker",
    );
  }

  #onDown(kind: "events" | "media", connection: object): void {
    const wasUp = this.#up.delete(kind);
    if (kind === "media") return;
    this.#options.handlers.connectionLost(connection);
    if (wasUp) this.#agents.doubt();
  }

  #onMessage(connection: object, topic: string, payload: Buffer): Promise<void> | void {
    const parsed = parseTopic(topic);
    switch (parsed?.kind) {
      case "events":
        return this.#onEvents(connection, parsed.agentId, topic, payload);
      case "status":
        return this.#onStatus(parsed.agentId, payload);
      case "reply":
        return this.#onReply(parsed.agentId, payload);
      case "upload":
        return this.#onUpload(parsed.agentId, parsed.transferId, topic, payload);
      case "media":
        // Best effort: the first fragments are dropped while the agent is looked up.
        if (this.#admitted.peek(parsed.agentId) === true)
          this.#options.handlers.acceptMedia(parsed.agentId, parsed.cameraId, parsed.stream, payload);
        return;
      default:
        this.#refused("FOREIGN_TOPIC", { topic: topic.slice(0, 200) });
    }
  }

  /** Resolves when the broker may forget the message: committed, or none of ours. */
  async #onEvents(connection: object, agentId: string, topic: string, payload: Buffer): Promise<void> {
    if (!(await this.#admitted.isAdmitted(agentId))) {
      this.#refused("UNKNOWN_AGENT", { agentId });
      return;
    }
    const receipt = await this.#options.handlers.acceptEvents(connection, agentId, topic, payload);
    if (!receipt) return;
    const ack: EventAck = { v: 1, ...receipt };
    this.#outgoing.publish({
      topic: ackTopic(agentId),
      payload: Buffer.from(JSON.stringify(ack)),
      retain: false,
    });
  }

  async #onReply(agentId: string, payload: Buffer): Promise<void> {
    if (await this.#admitted.isAdmitted(agentId)) await this.#options.handlers.acceptReply(agentId, payload);
    else this.#refused("UNKNOWN_AGENT", { agentId });
  }

  async #onUpload(agentId: string, transferId: string, topic: string, payload: Buffer): Promise<void> {
    if (await this.#admitted.isAdmitted(agentId))
      await this.#options.handlers.acceptUpload(agentId, transferId, topic, payload);
    else this.#refused("UNKNOWN_AGENT", { agentId });
  }

  async #onStatus(agentId: string, payload: Buffer): Promise<void> {
    // An empty one clears the retained status.
    if (payload.byteLength === 0) return;
    if (!(await this.#admitted.isAdmitted(agentId))) {
      this.#refused("UNKNOWN_AGENT", { agentId });
      return;
    }
    const { handlers } = this.#options;
    handlers.acceptStatus(agentId, payload);
    if (readStatus(payload)?.online !== true) {
      this.#agents.forget(agentId);
      handlers.disconnected({ agentId, kind: "media" });
      return;
    }
    const isNews = this.#agents.online(agentId);
    handlers.subscribedToDemands(agentId);
    if (isNews) handlers.subscribedToControl(agentId);
  }

  #refused(reason: Parameters<BrokerEntranceOptions["onRefusal"]>[0], fields: object): void {
    this.#options.onRefusal(reason);
    this.#warn("a message from the MQTT broker was refused", { reason, ...fields }, reason);
  }

  #warn(text: string, fields: object, key = text): void {
    const swallowed = this.#repeats.note(key);
    if (swallowed !== null) this.#options.logger.warn({ ...fields, swallowed }, text);
  }
}

/** Several ingests share events and replies; each of them hears every status, which is retained. */
function eventFilters(canShare: boolean): string[] {
  const shared = [`${TOPIC_ROOT}/+/events`, `${TOPIC_ROOT}/+/reply`];
  return [
    ...shared.map((filter) => (canShare ? `$share/huishi/${filter}` : filter)),
    `${TOPIC_ROOT}/+/status`,
  ];
}

function withoutLineEnd(bytes: Buffer): Buffer {
  let end = bytes.byteLength;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
