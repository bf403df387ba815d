import { eventsTopic } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { connectAgent, type TestAgent } from "@huishi/testkit";
import type { MqttClient } from "mqtt";

const BOOT = "00112233aabbccdd";
const WINDOW = 8;
/** Every so manieth event is an alarm trigger, the others are observations. */
const TRIGGER_EVERY = 10;

export interface FaultEdgeOptions {
  readonly agent: TestAgent;
  readonly cameraId: string;
  readonly port: () => number;
}

export interface Sending {
  readonly batches: number;
  readonly batchSize: number;
  /** Pause between two batches of one worker; 0: as fast as it goes. */
  readonly pauseMs?: number;
  /** Every batch is sent this many times, in an order of its own. Default 1. */
  readonly copies?: number;
  /** Added to the clock of each event. */
  readonly clockMs?: (seq: number) => number;
}

/** An agent with an outbox in memory: it sends each batch until it is acknowledged, on whatever connection. */
export class FaultEdge {
  readonly acknowledgedSeqs = new Set<number>();
  acknowledgedBatches = 0;
  /** Publishes that had no acknowledgement: sent again. */
  resent = 0;
  triggers = 0;
  isDone = false;
  /** Milliseconds from each publish to its acknowledgement. */
  readonly ackMs: number[] = [];
  readonly #options: FaultEdgeOptions;
  readonly #stop = new AbortController();
  #client: MqttClient | null = null;
  #connecting: Promise<MqttClient> | null = null;
  #nextSeq = 0;

  constructor(options: FaultEdgeOptions) {
    this.#options = options;
  }

  get agentId(): string {
    return this.#options.agent.id;
  }

  stop(): void {
    this.#stop.abort(new Error("the scene closes"));
    this.#client?.end(true);
  }

  /** Resolves when everything is acknowledged. */
  async send(sending: Sending): Promise<void> {
    this.isDone = false;
    const batches = Array.from({ length: sending.batches }, () => this.#batch(sending));
    const queue = Array.from({ length: sending.copies ?? 1 }, (_, copy) => shuffled(batches, copy)).flat();
    const worker = async (): Promise<void> => {
      for (let batch = queue.shift(); batch && !this.#stop.signal.aborted; batch = queue.shift()) {
        await this.#sendUntilAcknowledged(batch);
        if (sending.pauseMs) await sleep(sending.pauseMs, this.#stop.signal).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, worker));
    this.isDone = true;
  }

  /** One message as it is; resolves with its acknowledgement. */
  async publish(payload: string | Buffer): Promise<void> {
    await publish(await this.#connection(), eventsTopic(this.agentId), payload);
  }

  /** Everything that is about this agent's camera and sensor, numbered on. */
  #batch({ batchSize, clockMs = () => Date.now() }: Sending): { seqs: number[]; payload: string } {
    const seqs = Array.from({ length: batchSize }, () => this.#nextSeq++);
    const events = seqs.map((seq) => {
      const times = { seq, capturedAtMs: clockMs(seq), agentAtMs: clockMs(seq) };
      if (seq % TRIGGER_EVERY !== 0) {
        const sensor = { sensorId: `${this.agentId}-level`, observedProperty: "water_level", unit: "m" };
        return { type: "observation", ...times, ...sensor, value: seq };
      }
      this.triggers += 1;
      const alarm = { alarmClass: "intrusion", priority: "P2" };
      return { type: "alarm_trigger", ...times, cameraId: this.#options.cameraId, ...alarm };
    });
    return { seqs, payload: JSON.stringify({ v: 1, boot: BOOT, events }) };
  }

  async #sendUntilAcknowledged(batch: { seqs: number[]; payload: string }): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const startedMs = performance.now();
      try {
        await this.publish(batch.payload);
        this.ackMs.push(performance.now() - startedMs);
        for (const seq of batch.seqs) this.acknowledgedSeqs.add(seq);
        this.acknowledgedBatches += 1;
        return;
      } catch {
        this.resent += 1;
        await sleep(50, this.#stop.signal).catch(() => {});
      }
    }
  }

  #connection(): Promise<MqttClient> {
    if (this.#client?.connected) return Promise.resolve(this.#client);
    this.#connecting ??= connectAgent(this.#options.port(), this.#options.agent, { connectTimeout: 2_000 })
      .then((client) => {
        client.on("error", () => {});
        this.#client = client;
        return client;
      })
      .finally(() => (this.#connecting = null));
    return this.#connecting;
  }
}

/** Resolves with the PUBACK, rejects when the connection ends first. */
function publish(client: MqttClient, topic: string, payload: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error("the connection ended before the PUBACK"));
    client.once("close", onClose);
    client.publish(topic, payload, { qos: 1 }, (error) => {
      client.off("close", onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The same order for the same salt; the first copy as it is. */
function shuffled<T>(items: readonly T[], salt: number): T[] {
  if (salt === 0) return [...items];
  const rank = (index: number): number =>
    (Math.imul(index + 1, 2_654_435_761) ^ Math.imul(salt, 40_503)) >>> 0;
  return items
    .map((item, index) => ({ item, rank: rank(index) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
