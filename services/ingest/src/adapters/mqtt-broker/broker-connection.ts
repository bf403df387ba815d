import { once } from "node:events";
import type { Socket } from "node:net";
import { HuishiError, messageOf, type Runnable } from "@huishi/kernel";
import { generate, type IConnackPacket, type Packet, type Parser, parser as createParser } from "mqtt-packet";
import { FrameReader, headOfPublish } from "./frame-reader.ts";
import { OrderedPubacks } from "./ordered-pubacks.ts";
import type { OutgoingMessages } from "./outgoing-messages.ts";

/** From dialling to the SUBACK at most. */
const SET_UP_MS = 10_000;

/** A broker that does not close after our DISCONNECT is not waited for longer. */
const GOODBYE_MS = 500;

export type MqttVersion = 4 | 5;

export interface Credentials {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Buffer;
}

export interface BrokerConnectionOptions {
  readonly name: string;
  readonly version: MqttVersion;
  open(): Promise<Socket>;
  credentials(): Promise<Credentials>;
  /** How long the broker keeps our session while we are away; 0 for none. MQTT 3.1.1 knows only "for ever". */
  readonly sessionExpirySeconds: number;
  readonly keepAliveSeconds: number;
  /** So many events may wait for their commit at once (the receive maximum of MQTT 5). */
  readonly window: number;
  readonly maxPacketBytes: number;
  /** Topic filters, all at this QoS. `canShare` is false where the broker has no shared subscriptions. */
  filters(canShare: boolean): readonly string[];
  readonly qos: 0 | 1;
  readonly outgoing?: OutgoingMessages;
  /** A PUBLISH is acknowledged when what this returns resolves; when it rejects, the connection ends. */
  onMessage(connection: object, topic: string, payload: Buffer): Promise<void> | void;
  onOversized(topic: string): void;
  onUp(): void;
  onDown(connection: object): void;
  /** The broker refused a message of ours (MQTT 5 reason code). */
  onRefusedPublish(reasonCode: number): void;
}

/**
 * One connection to a broker, MQTT 3.1.1 or 5, as a subscriber. Unlike common client libraries it acknowledges a
 * PUBLISH late without holding up anything else: pings and other packets are handled meanwhile.
 *
 * Memory is bounded by the window: no more is read while so many are unacknowledged.
 *
 * `run` ends with one of BROKER_UNREACHABLE, BROKER_REFUSED, BROKER_SUBSCRIPTION_REFUSED, BROKER_SILENT,
 * BROKER_PROTOCOL, BROKER_CLOSED, BROKER_FILE_UNREADABLE; the supervisor dials again.
 */
export class BrokerConnection implements Runnable {
  readonly #options: BrokerConnectionOptions;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  async run(signal: AbortSignal): Promise<void> {
    const credentials = await this.#options.credentials();
    const socket = await this.#options.open();
    try {
      signal.throwIfAborted();
      await new Session(this.#options, socket, credentials).run(signal);
    } finally {
      socket.destroy();
    }
  }
}

/** The life of one connection. Its identity is the "connection" of the handlers. */
class Session {
  readonly #options: BrokerConnectionOptions;
  readonly #socket: Socket;
  readonly #credentials: Credentials;
  readonly #frames: FrameReader;
  readonly #parser: Parser;
  readonly #pubacks = new OrderedPubacks((packetIds) => this.#sendPubacks(packetIds));
  #fault: HuishiError | null = null;
  #isConnected = false;
  #heardAtMs = 0;
  #pingTimer: NodeJS.Timeout | undefined;

  constructor(options: BrokerConnectionOptions, socket: Socket, credentials: Credentials) {
    this.#options = options;
    this.#socket = socket;
    this.#credentials = credentials;
    this.#frames = new FrameReader(options.maxPacketBytes);
    this.#parser = createParser({ protocolVersion: options.version });
    this.#parser.on("packet", (packet) => this.#onPacket(packet));
    this.#parser.on("error", (fault: unknown) => this.#fail("BROKER_PROTOCOL", messageOf(fault)));
  }

  async run(signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    const setUp = setTimeout(() => {
      this.#fail("BROKER_SILENT", `the broker did not answer within ${SET_UP_MS / 1000} s`);
    }, SET_UP_MS);
    this.#onSetUp = () => clearTimeout(setUp);
    const onAbort = (): void => this.#sayGoodbye();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (cause) => this.#fail("BROKER_UNREACHABLE", cause.message, { cause }));
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.once("end", () => socket.destroy());
    this.#send(this.#connectPacket());
    try {
      await once(socket, "close").catch(() => {});
    } finally {
      clearTimeout(setUp);
      clearInterval(this.#pingTimer);
      signal.removeEventListener("abort", onAbort);
      if (this.#isConnected) this.#options.outgoing?.detach();
      this.#options.onDown(this);
    }
    if (!signal.aborted)
      throw this.#fault ?? new HuishiError("BROKER_CLOSED", "the broker closed the connection");
  }
  #onSetUp = (): void => {};

  #connectPacket(): Packet {
    const { version, keepAliveSeconds, sessionExpirySeconds, window, maxPacketBytes } = this.#options;
    return {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version,
      // In MQTT 5 the flag only says whether an old session goes on; how long it lives is its own property.
      clean: sessionExpirySeconds === 0,
      keepalive: keepAliveSeconds,
      ...this.#credentials,
      ...(version === 5 && {
        properties: {
          sessionExpiryInterval: sessionExpirySeconds,
          receiveMaximum: window,
          maximumPacketSize: maxPacketBytes,
        },
      }),
    };
  }

  #read(chunk: Buffer): void {
    this.#heardAtMs = performance.now();
    try {
      for (const { bytes, isOversized } of this.#frames.feed(chunk)) {
        if (this.#fault) return;
        if (isOversized) this.#onOversized(bytes);
        else this.#parser.parse(bytes);
      }
    } catch (fault) {
      this.#fail("BROKER_PROTOCOL", messageOf(fault));
    }
  }

  #onPacket(packet: Packet): void {
    switch (packet.cmd) {
      case "connack":
        this.#onConnack(packet);
        break;
      case "suback":
        this.#onSuback(packet.granted as number[]);
        break;
      case "publish":
        this.#onPublish(
          packet.topic,
          packet.payload as Buffer,
          packet.qos === 0 ? 0 : (packet.messageId ?? 0),
        );
        break;
      case "puback":
        this.#options.outgoing?.acknowledged(packet.messageId ?? 0);
        if ((packet.reasonCode ?? 0) >= 0x80) this.#options.onRefusedPublish(packet.reasonCode ?? 0);
        break;
      case "pingresp":
      case "unsuback":
        break;
      case "disconnect":
        this.#fail("BROKER_CLOSED", `the broker ended the connection: reason code ${packet.reasonCode}`);
        break;
      default:
        this.#fail("BROKER_PROTOCOL", `the broker sent a packet of type ${packet.cmd}`);
    }
  }

  #onConnack(packet: IConnackPacket): void {
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code !== 0) {
      this.#fail("BROKER_REFUSED", `the broker refused the sign-in: ${meaningOf(code)}`, {
        details: { code },
      });
      return;
    }
    const { properties = {} } = packet;
    this.#isConnected = true;
    this.#startPings((properties.serverKeepAlive ?? this.#options.keepAliveSeconds) * 1_000);
    this.#options.outgoing?.attach(
      ({ topic, payload, retain }, messageId, dup) =>
        this.#send({ cmd: "publish", topic, payload, retain, qos: 1, dup, messageId }),
      { receiveMaximum: properties.receiveMaximum ?? 0xffff, isResumed: packet.sessionPresent },
    );
    const canShare = this.#options.version === 5 && properties.sharedSubscriptionAvailable !== false;
    this.#subscribe(
      this.#options.filters(canShare),
      packet.sessionPresent ? this.#options.filters(!canShare) : [],
    );
  }

  /** @param old what an earlier session of ours may have subscribed to: with both, each message would come twice */
  #subscribe(filters: readonly string[], old: readonly string[]): void {
    const { outgoing, qos } = this.#options;
    const unsubscriptions = old.filter((topic) => !filters.includes(topic));
    if (unsubscriptions.length > 0)
      this.#send({ cmd: "unsubscribe", messageId: outgoing?.nextId() ?? 2, unsubscriptions });
    const subscriptions = filters.map((topic) => ({ topic, qos }));
    this.#send({ cmd: "subscribe", messageId: outgoing?.nextId() ?? 1, subscriptions });
  }

  #onSuback(granted: readonly number[]): void {
    if (granted.some((code) => code >= 0x80)) {
      this.#fail("BROKER_SUBSCRIPTION_REFUSED", `the broker refused a subscription: ${granted.join(", ")}`);
      return;
    }
    this.#onSetUp();
    this.#options.onUp();
  }

  #onPublish(topic: string, payload: Buffer, packetId: number): void {
    if (packetId === 0) {
      void this.#options.onMessage(this, topic, payload);
      return;
    }
    const settle = this.#expectPuback(packetId);
    Promise.resolve(this.#options.onMessage(this, topic, payload)).then(settle, (fault: unknown) => {
      // Not acknowledged: the broker keeps it and sends it again on the next connection.
      this.#fail("BROKER_CLOSED", `a message was not taken: ${messageOf(fault)}`, { cause: fault });
    });
  }

  /** Dropped, but acknowledged: it would come again on each connection and block the window. */
  #onOversized(bytes: Buffer): void {
    const head = headOfPublish(bytes);
    if (!head) {
      this.#fail("BROKER_PROTOCOL", "the broker sent an oversized packet");
      return;
    }
    this.#options.onOversized(head.topic);
    if (head.packetId !== 0) this.#expectPuback(head.packetId)();
  }

  /**
   * Brokers are told the window (MQTT 5) or have one of their own; beyond ours reading pauses all the same, because
   * mosquitto 2.0 sends more than the receive maximum. Our pings go on meanwhile, so it does not end the connection.
   */
  #expectPuback(packetId: number): () => void {
    const settle = this.#pubacks.expect(packetId);
    if (this.#pubacks.size > this.#options.window) this.#socket.pause();
    return settle;
  }

  #sendPubacks(packetIds: readonly number[]): void {
    if (!this.#socket.writable) return;
    const { version } = this.#options;
    const packets = packetIds.map((messageId) =>
      generate({ cmd: "puback", messageId }, { protocolVersion: version }),
    );
    this.#socket.write(Buffer.concat(packets));
    if (this.#pubacks.size <= this.#options.window) this.#socket.resume();
  }

  /** A ping each half keep-alive; silence for one and a half ends the connection. */
  #startPings(keepAliveMs: number): void {
    if (keepAliveMs === 0) return;
    this.#pingTimer = setInterval(() => {
      // While we do not read, the silence is ours.
      if (this.#socket.isPaused()) this.#heardAtMs = performance.now();
      if (performance.now() - this.#heardAtMs > keepAliveMs * 1.5)
        this.#fail("BROKER_SILENT", "the broker does not answer pings");
      else this.#send({ cmd: "pingreq" });
    }, keepAliveMs / 2);
  }

  #send(packet: Packet): void {
    if (this.#socket.writable)
      this.#socket.write(generate(packet, { protocolVersion: this.#options.version }));
  }

  #sayGoodbye(): void {
    if (!this.#isConnected) {
      this.#socket.destroy();
      return;
    }
    this.#send({ cmd: "disconnect", reasonCode: 0 });
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), GOODBYE_MS).unref();
  }

  #fail(code: string, message: string, options: ConstructorParameters<typeof HuishiError>[2] = {}): void {
    this.#fault ??= new HuishiError(code, message, options);
    this.#socket.destroy();
  }
}

/** CONNACK codes (MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2.2) that a person can do something about. */
function meaningOf(code: number): string {
  if ([4, 5, 0x86, 0x87].includes(code))
    return "user name or password is wrong, or the account may not connect";
  if ([1, 0x84].includes(code)) return "it does not speak this version of MQTT (HUISHI_MQTT_VERSION)";
  if ([2, 0x85].includes(code)) return "it does not take the client id";
  return `return code ${code}`;
}
