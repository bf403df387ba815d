// A process of its own that publishes as agents do: told what by IPC, it answers with what it measured.
import { randomBytes } from "node:crypto";
import { eventsTopic } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { connectAgent, type MqttPlace, type TestAgent } from "@huishi/testkit";
import type { MqttClient } from "mqtt";

export interface PublisherOrder {
  readonly place: MqttPlace;
  readonly agents: readonly TestAgent[];
  readonly batchSize: number;
  readonly batchesPerAgent: number;
  /** Batches of one agent that are on their way at once. */
  readonly window: number;
  /** Batches a second of all agents together; null: as fast as acknowledgements come. */
  readonly batchesPerSecond: number | null;
}

export interface PublisherAnswer {
  readonly seconds: number;
  /** From publish to PUBACK, of each batch. */
  readonly ackMs: readonly number[];
}

const SENSORS = 50;

function batchesOf(agent: TestAgent, { batchSize, batchesPerAgent }: PublisherOrder): string[] {
  const boot = randomBytes(8).toString("hex");
  const startMs = Date.now();
  return Array.from({ length: batchesPerAgent }, (_, batch) => {
    const events = Array.from({ length: batchSize }, (_event, index) => {
      const seq = batch * batchSize + index;
      return {
        type: "observation",
        seq,
        capturedAtMs: startMs + seq,
        agentAtMs: startMs + seq,
        sensorId: `${agent.id}-${seq % SENSORS}`,
        observedProperty: "water_level",
        value: seq / 1000,
        unit: "m",
      };
    });
    return JSON.stringify({ v: 1, boot, events });
  });
}

async function publishAll(
  client: MqttClient,
  agent: TestAgent,
  batches: string[],
  order: PublisherOrder,
): Promise<number[]> {
  const ackMs: number[] = [];
  const startedMs = performance.now();
  const everyMs = order.batchesPerSecond === null ? 0 : (1000 * order.agents.length) / order.batchesPerSecond;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < batches.length) {
      const index = next++;
      const dueMs = startedMs + index * everyMs;
      if (dueMs > performance.now()) await sleep(dueMs - performance.now());
      const sentMs = performance.now();
      await client.publishAsync(eventsTopic(agent.id), batches[index] as string, { qos: 1 });
      ackMs.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: order.window }, worker));
  return ackMs;
}

process.on("message", (order: PublisherOrder) => {
  const answer = async (): Promise<PublisherAnswer> => {
    const clients = await Promise.all(order.agents.map((agent) => connectAgent(order.place, agent)));
    const batches = order.agents.map((agent) => batchesOf(agent, order));
    const startedMs = performance.now();
    const measured = await Promise.all(
      order.agents.map((agent, index) =>
        publishAll(clients[index] as MqttClient, agent, batches[index] as string[], order),
      ),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    await Promise.all(clients.map((client) => client.endAsync()));
    return { seconds, ackMs: measured.flat() };
  };
  void answer().then((said) => process.send?.(said));
});
