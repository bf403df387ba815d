import {
  type AgentStatus,
  type EdgeEvent,
  MediaDemandSchema,
  ackTopic,
  demandFilter,
  eventsTopic,
  parseTopic,
  statusTopic,
} from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import type { MqttClient } from "mqtt";
import { Compile } from "typebox/compile";
import type { Identity } from "../../application/claim-identity.ts";
import type { DemandHandler, EventLink, Log } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { AwaitedAcks } from "./awaited-acks.ts";
import { runMqttSession } from "./mqtt-session.ts";

const demandSchema = Compile(MediaDemandSchema);
const MAX_DEMAND_BYTES = 4 * 1024;
const ACK_TIMEOUT_MS = 30_000;

/**
 * What says that a batch is committed: the PUBACK of the centre's own endpoint, or, where a broker stands between, a
 * message of the centre's.
 */
export type Acknowledgement = "puback" | "application";

export interface MqttEventLinkOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly log: Log;
  readonly onDemand: DemandHandler;
  /** Default `puback`. */
  readonly acknowledgement?: Acknowledgement;
  readonly ackTimeoutMs?: number;
  /** Certificate authority for `mqtts:`, PEM. */
  readonly ca?: string | undefined;
}

/** Events, status and demands over one MQTT connection; its Will marks the agent offline. */
export class MqttEventLink implements EventLink {
  readonly #options: MqttEventLinkOptions;
  #client: MqttClient | null = null;
  /** Rejects what is on its way when the connection ends. */
  #closed: AbortController = new AbortController();
  readonly #waiters = new Set<() => void>();
  readonly #acks: AwaitedAcks;

  constructor(options: MqttEventLinkOptions) {
    this.#options = options;
    this.#acks = new AwaitedAcks(options.ackTimeoutMs ?? ACK_TIMEOUT_MS);
  }

  get isConnected(): boolean {
    return this.#client !== null;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { identity, clock, ca } = this.#options;
    this.#closed = new AbortController();
    try {
      await runMqttSession(
        identity.mqttUrl,
        {
          clientId: identity.agentId,
          username: identity.agentId,
          password: identity.secret,
          ca,
          will: { ...this.#statusMessage({ online: false, atMs: clock.nowMs() }), qos: 1, retain: true },
        },
        {
          onOpen: (client) => this.#open(client),
          beforeEnd: () => this.publishStatus({ online: false, atMs: clock.nowMs() }),
        },
        signal,
      );
    } finally {
      this.#client = null;
      this.#closed.abort(new EdgeError("SERVER_UNREACHABLE", "the connection to the centre ended"));
    }
  }

  async publishBatch(batch: { boot: string; events: readonly EdgeEvent[] }): Promise<void> {
    const { boot, events } = batch;
    const topic = eventsTopic(this.#options.identity.agentId);
    if (this.#options.acknowledgement !== "application") {
      return this.#publish(topic, JSON.stringify({ v: 1, boot, events }), false);
    }
    const { batch: number, acknowledged } = this.#acks.expect(boot, this.#closed.signal);
    const payload = JSON.stringify({ v: 1, boot, batch: number, events });
    await Promise.all([acknowledged, this.#publish(topic, payload, false)]);
  }

  async publishStatus(status: Omit<AgentStatus, "v">): Promise<void> {
    const { topic, payload } = this.#statusMessage(status);
    await this.#publish(topic, payload, true);
  }

  async waitUntilConnected(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#client) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#waiters.delete(settle);
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiters.delete(settle);
        reject(signal.reason as Error);
      };
      this.#waiters.add(settle);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  async #open(client: MqttClient): Promise<void> {
    const { agentId } = this.#options.identity;
    client.on("message", (topic, payload, packet) => this.#receive(topic, payload, packet.retain));
    const [granted] = await client.subscribeAsync(demandFilter(agentId), { qos: 1 });
    if (granted?.qos === 128) {
      throw new EdgeError("AGENT_REFUSED", "the MQTT endpoint does not let this agent read its demands");
    }
    if (this.#options.acknowledgement === "application") await subscribeAcks(client, agentId);
    this.#client = client;
    this.#options.log.info({ agentId }, "connected to the centre");
    for (const wake of this.#waiters) wake();
  }

  #receive(topic: string, payload: Buffer, isRetained: boolean): void {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "ack" && parsed.agentId === this.#options.identity.agentId) {
      const isAck = payload.length <= MAX_DEMAND_BYTES && this.#acks.receive(parseJson(payload));
      if (!isAck) this.#options.log.warn({ topic }, "an acknowledgement that cannot be read was ignored");
      return;
    }
    if (parsed?.kind !== "demand" || parsed.agentId !== this.#options.identity.agentId) return;
    if (payload.length === 0) return this.#options.onDemand(parsed.cameraId, null, isRetained);
    const demand = payload.length <= MAX_DEMAND_BYTES ? parseJson(payload) : null;
    if (demandSchema.Check(demand)) this.#options.onDemand(parsed.cameraId, demand, isRetained);
    else this.#options.log.warn({ topic }, "a demand that cannot be read was ignored");
  }

  async #publish(topic: string, payload: string, retain: boolean): Promise<void> {
    const client = this.#client;
    const closed = this.#closed.signal;
    if (!client) throw new EdgeError("SERVER_UNREACHABLE", "not connected to the centre");
    await new Promise<void>((resolve, reject) => {
      const onClosed = (): void => reject(closed.reason as Error);
      closed.addEventListener("abort", onClosed, { once: true });
      client.publish(topic, payload, { qos: 1, retain }, (error) => {
        closed.removeEventListener("abort", onClosed);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  #statusMessage(status: Omit<AgentStatus, "v">): { topic: string; payload: string } {
    const message: AgentStatus = { v: 1, ...status };
    return { topic: statusTopic(this.#options.identity.agentId), payload: JSON.stringify(message) };
  }
}

async function subscribeAcks(client: MqttClient, agentId: string): Promise<void> {
  const [granted] = await client.subscribeAsync(ackTopic(agentId), { qos: 1 });
  if (granted?.qos === 128) {
    throw new EdgeError("AGENT_REFUSED", "the broker does not let this agent read its acknowledgements");
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8")) as unknown;
  } catch {
    return null;
  }
}
