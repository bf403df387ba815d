import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { repeatSummary } from "@huishi/platform";
import { Aedes, type Client, type ConnectPacket, type PublishPacket } from "aedes";
import type { Log } from "../../application/ports.ts";
import type { SensorInlet, SensorSink } from "../../application/sensor-ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { SensorPlan } from "../../domain/sensors/sensor-plan.ts";
import { parseTopicFilter, TopicTree } from "../../domain/sensors/topic-filter.ts";
import { isSameSecret } from "../crypto/same-secret.ts";
import { BoundedConnection, MAX_PACKET_BYTES } from "./bounded-connection.ts";

const CONNECT_TIMEOUT_MS = 5_000;

export interface SensorAccount {
  readonly username: string;
  readonly password: string;
  /** Topics that this account may publish to begin with it; default: all that are mapped. */
  readonly topicPrefix?: string;
}

export interface SensorBrokerOptions {
  readonly address: string;
  readonly port: number;
  readonly maxClients: number;
  /** None: anybody who reaches the address, which then is a loopback one. */
  readonly accounts: readonly SensorAccount[];
  readonly sink: SensorSink & { noteUnknown(): void };
  readonly log: Log;
  readonly onListening?: (port: number) => void;
}

/**
 * The site's MQTT 3.1.1 listener for sensors: publish alone. Nobody subscribes, nothing is retained, no Will, sessions
 * are clean. A topic that no sensor is mapped to is acknowledged and dropped: refusing it would make the sensor send it
 * again for ever.
 */
export class SensorBroker implements SensorInlet {
  readonly kind = "mqtt";
  readonly #options: SensorBrokerOptions;
  readonly #accounts = new WeakMap<Client, SensorAccount>();
  readonly #repeats = repeatSummary();
  #topics = new TopicTree<string>();

  constructor(options: SensorBrokerOptions) {
    this.#options = options;
  }

  route(plans: readonly SensorPlan[]): void {
    const topics = new TopicTree<string>();
    for (const { sensor } of plans) {
      if (sensor.source.kind === "mqtt") topics.add(parseTopicFilter(sensor.source.topic), sensor.id);
    }
    this.#topics = topics;
  }

  /** @throws EdgeError SENSOR_LISTENER_FAILED */
  async run(signal: AbortSignal): Promise<void> {
    const broker = await this.#broker();
    const connections = new Set<BoundedConnection>();
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      const connection = new BoundedConnection(socket, MAX_PACKET_BYTES, () => {
        this.#refused("packet too large", { remoteAddress: socket.remoteAddress });
      });
      connections.add(connection);
      connection.on("error", () => undefined);
      connection.once("close", () => connections.delete(connection));
      broker.handle(connection);
    });
    server.maxConnections = this.#options.maxClients;
    try {
      await this.#listen(server, signal);
      this.#options.onListening?.((server.address() as AddressInfo).port);
      const failure = once(server, "error", { signal }).then(([error]) => error as Error);
      throw await failure;
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.destroy();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await closed;
    }
  }

  async #listen(server: Server, signal: AbortSignal): Promise<void> {
    const { address, port } = this.#options;
    server.listen(port, address);
    try {
      await once(server, "listening", { signal });
    } catch (cause) {
      throw new EdgeError("SENSOR_LISTENER_FAILED", `MQTT for sensors cannot listen on ${address}:${port}`, {
        cause,
      });
    }
  }

  async #broker(): Promise<Aedes> {
    const broker = await Aedes.createBroker({
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxTopicLevels: 8,
      preConnect: (_client, packet: ConnectPacket, done) => {
        // Nothing is kept for a sensor that is away, and nobody would hear its Will.
        packet.clean = true;
        // An account takes over no session of another one.
        if (packet.clientId && packet.username) packet.clientId = `${packet.username}/${packet.clientId}`;
        delete packet.will;
        done(null, true);
      },
      authenticate: (client, username, password, done) => {
        if (this.#isGenuine(client, username, password)) {
          done(null, true);
          return;
        }
        this.#refused("bad credentials", {});
        done(Object.assign(new Error("bad credentials"), { returnCode: 4 }), null);
      },
      authorizeSubscribe: (_client, _subscription, done) => done(null, null),
      authorizePublish: (client, packet, done) => {
        packet.retain = false;
        this.#take(client, packet as PublishPacket);
        done(null);
      },
    });
    for (const event of ["clientError", "connectionError"] as const) {
      broker.on(event, (_client: Client, err: Error) => this.#refused(event, { err }));
    }
    return broker;
  }

  #isGenuine(client: Client, username: string | undefined, password: Uint8Array | undefined): boolean {
    const { accounts } = this.#options;
    if (accounts.length === 0) return true;
    const account = accounts.find((known) => known.username === username);
    // Compared also for a name that is unknown: the time tells nothing.
    const isRight = isSameSecret(Buffer.from(password ?? []), account?.password ?? "");
    if (!account || !isRight) return false;
    this.#accounts.set(client, account);
    return true;
  }

  #take(client: Client | null, { topic, payload }: PublishPacket): void {
    const { sink } = this.#options;
    const prefix = (client && this.#accounts.get(client)?.topicPrefix) ?? "";
    const sensorIds = topic.startsWith(prefix) ? this.#topics.find(topic) : [];
    if (sensorIds.length === 0) sink.noteUnknown();
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    for (const sensorId of sensorIds) sink.message(sensorId, bytes);
  }

  #refused(why: string, fields: Record<string, unknown>): void {
    const swallowed = this.#repeats.note(why);
    if (swallowed !== null) {
      this.#options.log.warn(
        { why, ...fields, swallowed },
        "a sensor's MQTT connection was refused or failed",
      );
    }
  }
}
