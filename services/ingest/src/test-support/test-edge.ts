import { ackTopic, type EventAck, EventAckSchema, eventsTopic } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { connectAgent, type MqttPlace, type TestAgent } from "@huishi/testkit";
import type { IClientOptions, MqttClient } from "mqtt";
import { Compile } from "typebox/compile";
import { BOOT } from "./running-ingest.ts";

const ackChecker = Compile(EventAckSchema);

/** An edge with an outbox: it sends a batch again and again until its EventAck comes, on whatever connection. */
export class TestEdge {
  readonly acks: EventAck[] = [];
  /** How often batches were published. */
  attempts = 0;
  /** How often its connection ended without its doing. */
  losses = 0;
  readonly #agent: TestAgent;
  readonly #place: () => MqttPlace;
  readonly #options: IClientOptions;
  readonly #waiting = new Map<number, () => void>();
  #connecting: Promise<MqttClient> | null = null;
  #isClosed = false;

  constructor(agent: TestAgent, place: () => MqttPlace, options: IClientOptions) {
    this.#agent = agent;
    this.#place = place;
    this.#options = options;
  }

  /** The connection that is there, or a new one that listens to acknowledgements. */
  connection(): Promise<MqttClient> {
    this.#connecting ??= this.#connect().catch((thrown: unknown) => {
      this.#connecting = null;
      throw thrown;
    });
    return this.#connecting;
  }

  /** Publishes once; resolves with the PUBACK. */
  async publish(payload: string): Promise<void> {
    const client = await this.connection();
    this.attempts += 1;
    await client.publishAsync(eventsTopic(this.#agent.id), payload, { qos: 1 });
  }

  /** Resolves when the batch is acknowledged; publishes it as often as that takes. */
  async send(batch: number, events: readonly object[], resendMs = 2_000): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => this.#waiting.set(batch, resolve));
    const payload = batchOf(batch, events);
    while (this.#waiting.has(batch) && !this.#isClosed) {
      try {
        this.publish(payload).catch(() => {});
        await this.connection();
        await Promise.race([acknowledged, this.#untilLost(batch, resendMs)]);
      } catch {
        await sleep(50);
      }
    }
  }

  /** Resolves when the connection was lost or the time is over; soon after the acknowledgement too. */
  async #untilLost(batch: number, resendMs: number): Promise<void> {
    const lossesBefore = this.losses;
    const endsAtMs = performance.now() + resendMs;
    while (this.#waiting.has(batch) && this.losses === lossesBefore && performance.now() < endsAtMs)
      await sleep(10);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#connecting?.catch(() => null);
    await client?.endAsync(true);
  }

  async #connect(): Promise<MqttClient> {
    const client = await connectAgent(this.#place(), this.#agent, this.#options);
    client.on("error", () => {});
    client.on("message", (topic, payload) => {
      if (topic === ackTopic(this.#agent.id)) this.#onAck(JSON.parse(payload.toString()));
    });
    client.once("close", () => {
      if (!this.#isClosed) this.losses += 1;
      this.#connecting = null;
    });
    await client.subscribeAsync(ackTopic(this.#agent.id), { qos: 1 });
    return client;
  }

  #onAck(ack: unknown): void {
    if (!ackChecker.Check(ack)) throw new Error("an acknowledgement that breaks the contract");
    this.acks.push(ack);
    this.#waiting.get(ack.batch)?.();
    this.#waiting.delete(ack.batch);
  }
}

export const batchOf = (batch: number, events: readonly object[]): string =>
  JSON.stringify({ v: 1, boot: BOOT, batch, events });
