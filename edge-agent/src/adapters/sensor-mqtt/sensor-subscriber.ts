import { readFile } from "node:fs/promises";
import { messageOf } from "@huishi/kernel";
import { repeatSummary } from "@huishi/platform";
import { connect, type MqttClient } from "mqtt";
import type { Log } from "../../application/ports.ts";
import type { SensorInlet, SensorSink } from "../../application/sensor-ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { SensorPlan } from "../../domain/sensors/sensor-plan.ts";
import { parseTopicFilter, TopicTree } from "../../domain/sensors/topic-filter.ts";
import { MAX_PACKET_BYTES, PacketLengths } from "./bounded-connection.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 30;

export interface SensorSubscriberOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM file of the certificate authority for `mqtts:`; read at each connection. */
  readonly caFile?: string;
  readonly sink: SensorSink & { noteUnknown(): void };
  readonly log: Log;
}

/** Hears sensors through a broker that the site has already: subscribes to what is mapped, and to nothing else. */
export class SensorSubscriber implements SensorInlet {
  readonly kind = "mqtt";
  readonly #options: SensorSubscriberOptions;
  readonly #repeats = repeatSummary();
  #topics = new TopicTree<string>();
  #wanted: ReadonlySet<string> = new Set();
  #subscribed: ReadonlySet<string> = new Set();
  #client: MqttClient | null = null;

  constructor(options: SensorSubscriberOptions) {
    this.#options = options;
  }

  route(plans: readonly SensorPlan[]): void {
    const topics = new TopicTree<string>();
    const wanted = new Set<string>();
    for (const { sensor } of plans) {
      if (sensor.source.kind !== "mqtt") continue;
      topics.add(parseTopicFilter(sensor.source.topic), sensor.id);
      wanted.add(sensor.source.topic);
    }
    this.#topics = topics;
    this.#wanted = wanted;
    this.#settle();
  }

  /** One connection from start to end. @throws EdgeError SENSOR_BROKER_UNREACHABLE */
  async run(signal: AbortSignal): Promise<void> {
    const { url, username, password, caFile } = this.#options;
    const ca = caFile === undefined ? undefined : await readFile(caFile);
    signal.throwIfAborted();
    const client = connect(url, {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: true,
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
    });
    const lengths = new PacketLengths(MAX_PACKET_BYTES);
    client.stream.on("data", (chunk: Uint8Array) => lengths.feed(chunk) || client.stream.destroy());
    client.on("message", (topic, payload, { retain }) => this.#take(topic, payload, retain));
    let onAbort = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        let last: unknown;
        client.on("error", (error) => (last = error));
        client.on("close", () => reject(unreachable(url, last)));
        client.once("connect", () => {
          this.#client = client;
          this.#subscribed = new Set();
          this.#settle();
        });
        onAbort = () => resolve();
        signal.addEventListener("abort", onAbort, { once: true });
      });
    } finally {
      this.#client = null;
      signal.removeEventListener("abort", onAbort);
      client.end(true);
    }
  }

  #take(topic: string, payload: Uint8Array, isRetained: boolean): void {
    // What a broker kept is of some time before: it says nothing of now.
    if (isRetained) return;
    const { sink } = this.#options;
    const sensorIds = this.#topics.find(topic);
    if (sensorIds.length === 0) sink.noteUnknown();
    for (const sensorId of sensorIds) sink.message(sensorId, payload);
  }

  #settle(): void {
    const client = this.#client;
    if (!client) return;
    const fresh = [...this.#wanted].filter((topic) => !this.#subscribed.has(topic));
    const gone = [...this.#subscribed].filter((topic) => !this.#wanted.has(topic));
    this.#subscribed = this.#wanted;
    if (gone.length > 0) client.unsubscribe(gone);
    if (fresh.length === 0) return;
    client.subscribe(fresh, { qos: 1 }, (err, granted) => {
      const refused = (granted ?? []).filter(({ qos }) => qos >= 128).map(({ topic }) => topic);
      if (!err && refused.length === 0) return;
      const swallowed = this.#repeats.note("subscribe");
      if (swallowed !== null) {
        this.#options.log.warn(
          { err, topics: refused.slice(0, 10), swallowed },
          "the site's broker refuses topics",
        );
      }
    });
  }
}

function unreachable(url: string, error: unknown): EdgeError {
  const why = error === undefined ? "the connection was closed" : messageOf(error);
  return new EdgeError(
    "SENSOR_BROKER_UNREACHABLE",
    `no connection to the site's broker ${new URL(url).host} (${why})`,
  );
}
