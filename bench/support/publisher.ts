// A process of its own that publishes as agents do. Packets are made before the clock starts and written as they are:
// on a machine with two cores a client library would be what is measured.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";
import { eventsTopic } from "@huishi/contracts";
import type { TestAgent } from "@huishi/testkit";
import { generate } from "mqtt-packet";

export interface PublisherOrder {
  readonly port: number;
  readonly caFile: string;
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
const PUBACK = 0x40;
const PUBACK_BYTES = 4;

function packetsOf(agent: TestAgent, { batchSize, batchesPerAgent }: PublisherOrder): Buffer[] {
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
    return generate({
      cmd: "publish",
      topic: eventsTopic(agent.id),
      payload: JSON.stringify({ v: 1, boot, events }),
      qos: 1,
      messageId: (batch % 65_535) + 1,
      dup: false,
      retain: false,
    });
  });
}

/** Resolves when the server has taken us (CONNACK). */
function signIn(agent: TestAgent, { port, caFile }: PublisherOrder): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port, ca: readFileSync(caFile), noDelay: true } as never,
      () => {
        socket.write(
          generate({
            cmd: "connect",
            protocolId: "MQTT",
            protocolVersion: 4,
            clean: true,
            clientId: agent.id,
            keepalive: 0,
            username: agent.id,
            password: Buffer.from(agent.secret),
          }),
        );
      },
    );
    socket.once("error", reject);
    socket.once("data", (connack: Buffer) => {
      if (connack[3] === 0) resolve(socket);
      else reject(new Error(`refused with return code ${connack[3]}`));
    });
  });
}

/** PUBACKs come in the order of the publishes: the n-th acknowledges the n-th batch. */
function publishAll(socket: TLSSocket, packets: readonly Buffer[], order: PublisherOrder): Promise<number[]> {
  const everyMs = order.batchesPerSecond === null ? 0 : (1000 * order.agents.length) / order.batchesPerSecond;
  const startedMs = performance.now();
  const sentMs: number[] = [];
  const ackMs: number[] = [];
  return new Promise((resolve, reject) => {
    let left = 0;
    let timer: NodeJS.Timeout | null = null;
    const fill = (): void => {
      while (sentMs.length < packets.length && sentMs.length - ackMs.length < order.window) {
        const dueMs = startedMs + sentMs.length * everyMs;
        const nowMs = performance.now();
        if (dueMs > nowMs) {
          timer ??= setTimeout(
            () => {
              timer = null;
              fill();
            },
            Math.ceil(dueMs - nowMs),
          );
          return;
        }
        socket.write(packets[sentMs.length] as Buffer);
        sentMs.push(nowMs);
      }
    };
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection ended")));
    socket.on("data", (chunk: Buffer) => {
      if (left === 0 && chunk[0] !== PUBACK) reject(new Error(`unexpected packet ${chunk[0]}`));
      left += chunk.byteLength;
      const nowMs = performance.now();
      for (; left >= PUBACK_BYTES; left -= PUBACK_BYTES) ackMs.push(nowMs - (sentMs[ackMs.length] ?? nowMs));
      if (ackMs.length === packets.length) resolve(ackMs);
      else fill();
    });
    fill();
  });
}

process.on("message", (order: PublisherOrder) => {
  const answer = async (): Promise<PublisherAnswer> => {
    const packets = order.agents.map((agent) => packetsOf(agent, order));
    const sockets = await Promise.all(order.agents.map((agent) => signIn(agent, order)));
    const startedMs = performance.now();
    const measured = await Promise.all(
      sockets.map((socket, index) => publishAll(socket, packets[index] as Buffer[], order)),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    for (const socket of sockets) socket.destroy();
    return { seconds, ackMs: measured.flat() };
  };
  void answer().then((said) => process.send?.(said));
});
