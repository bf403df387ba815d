import {
  AgentCommandSchema,
  AgentConfigSchema,
  type AgentStatus,
  type CommandReply,
  MediaDemandSchema,
  MAX_AGENT_CONFIG_BYTES,
  MAX_COMMAND_BYTES,
  ackTopic,
  commandTopic,
  configTopic,
  demandFilter,
  eventsTopic,
  parseTopic,
  replyTopic,
  statusTopic,
} from "@huishi/contracts";
import { type Clock, isId } from "@huishi/kernel";
import type { MqttClient } from "mqtt";
import { Compile } from "typebox/compile";
import type { Identity } from "../../application/claim-identity.ts";
import type {
  CentreListener,
  DemandHandler,
  EventBatch,
  EventLink,
  Log,
  ReplyLink,
} from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { LineProbe } from "../../domain/line-probe.ts";
import { AwaitedAcks } from "./awaited-acks.ts";
import { runMqttSession } from "./mqtt-session.ts";

const configSchema = Compile(AgentConfigSchema);
const commandSchema = Compile(AgentCommandSchema);
const demandSchema = Compile(MediaDemandSchema);
const MAX_DEMAND_BYTES = 4 * 1024;
const ACK_TIMEOUT_MS = 30_000;
/** While something is on its way, the other end is asked this often how far it has come (MQTT 3.1.1 §3.12). */
const ASK_MS = 200;

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
  /** Hears the centre's configuration and commands. */
  readonly centre?: CentreListener;
  /** Default `puback`. */
  readonly acknowledgement?: Acknowledgement;
  readonly ackTimeoutMs?: number;
  /** Certificate authority for `mqtts:`, PEM. */
  readonly ca?: string | undefined;
}

/** Events, status, demands, configuration and commands over one MQTT connection; its Will marks the agent offline. */
export class MqttEventLink implements EventLink, ReplyLink {
  readonly #options: MqttEventLinkOptions;
  #client: MqttClient | null = null;
  /** Rejects what is on its way when the connection ends. */
  #closed: AbortController = new AbortController();
  readonly #waiters = new Set<() => void>();
  readonly #acks: AwaitedAcks;
  #probe = new LineProbe();
  #asking: NodeJS.Timeout | undefined;

  constructor(options: MqttEventLinkOptions) {
    this.#options = options;
    this.#acks = new AwaitedAcks(options.ackTimeoutMs ?? ACK_TIMEOUT_MS);
  }

  get isConnected(): boolean {
    return this.#client !== null;
  }

  /** How much longer than on the free line the newest bytes take, milliseconds; the centre's work is not in it. */
  get stalledMs(): number {
    return this.#probe.queueMs(performance.now());
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
      clearInterval(this.#asking);
      this.#client = null;
      this.#closed.abort(new EdgeError("SERVER_UNREACHABLE", "the connection to the centre ended"));
    }
  }

  async publishBatch({ boot, events }: EventBatch): Promise<void> {
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

  /** A reply that is too large for the centre becomes one that says so. */
  async publishReply(reply: CommandReply): Promise<void> {
    const payload = JSON.stringify(reply);
    const isTooLarge = Buffer.byteLength(payload) > MAX_COMMAND_BYTES;
    const sent: CommandReply = isTooLarge
      ? {
          v: 1,
          commandId: reply.commandId,
          ok: false,
          code: "REPLY_TOO_LARGE",
          message: new EdgeError("REPLY_TOO_LARGE", "it was done, but what it gave is too large").message,
        }
      : reply;
    const topic = replyTopic(this.#options.identity.agentId);
    await this.#publish(topic, isTooLarge ? JSON.stringify(sent) : payload, false);
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
    // Before the subscription: what it brings may be answered at once.
    this.#client = client;
    this.#watchLine(client);
    this.#options.centre?.onConnected?.();
    if (this.#options.centre) await this.#listenToCentre(client, agentId);
    this.#options.log.info({ agentId }, "connected to the centre");
    for (const wake of this.#waiters) wake();
  }

  #watchLine(client: MqttClient): void {
    const probe = new LineProbe();
    this.#probe = probe;
    client.on("packetreceive", ({ cmd }) => {
      if (cmd === "pingresp") probe.answered(performance.now());
    });
    this.#asking = setInterval(() => {
      if (client.connected && probe.ask(performance.now())) client.sendPing();
    }, ASK_MS);
  }

  #receive(topic: string, payload: Buffer, isRetained: boolean): void {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "ack" && parsed.agentId === this.#options.identity.agentId) {
      const isAck = payload.length <= MAX_DEMAND_BYTES && this.#acks.receive(parseJson(payload));
      if (!isAck) this.#options.log.warn({ topic }, "an acknowledgement that cannot be read was ignored");
      return;
    }
    if (parsed?.agentId === this.#options.identity.agentId) {
      if (parsed.kind === "config") return this.#receiveConfig(payload);
      if (parsed.kind === "command") return this.#receiveCommand(payload);
    }
    if (parsed?.kind !== "demand" || parsed.agentId !== this.#options.identity.agentId) return;
    if (payload.length === 0) return this.#options.onDemand(parsed.cameraId, null, isRetained);
    const demand = payload.length <= MAX_DEMAND_BYTES ? parseJson(payload) : null;
    if (demandSchema.Check(demand)) this.#options.onDemand(parsed.cameraId, demand, isRetained);
    else this.#options.log.warn({ topic }, "a demand that cannot be read was ignored");
  }

  /** A centre of before it had commands refuses the subscription: then there are none. */
  async #listenToCentre(client: MqttClient, agentId: string): Promise<void> {
    const topics = [configTopic(agentId), commandTopic(agentId)];
    const granted = await client.subscribeAsync(topics, { qos: 1 });
    if (granted.some(({ qos }) => qos === 128)) {
      this.#options.log.warn({ agentId }, "the centre does not let this agent hear its configuration");
    }
  }

  #receiveConfig(payload: Buffer): void {
    if (payload.length === 0) return;
    const config = payload.length <= MAX_AGENT_CONFIG_BYTES ? parseJson(payload) : null;
    if (configSchema.Check(config)) return this.#options.centre?.onConfig(config);
    const [fault] = config === null ? [] : configSchema.Errors(config);
    const revision = (config as { revision?: unknown } | null)?.revision;
    const where = fault?.instancePath ?? "/";
    this.#options.log.warn({ where, revision }, "a configuration that cannot be read was refused");
    this.#options.centre?.onUnreadableConfig?.(
      revision,
      `${where} ${fault?.message ?? "is no configuration"}`,
    );
  }

  #receiveCommand(payload: Buffer): void {
    const command = payload.length <= MAX_COMMAND_BYTES ? parseJson(payload) : null;
    if (commandSchema.Check(command)) return this.#options.centre?.onCommand(command);
    const id = (command as { id?: unknown } | null)?.id;
    this.#options.log.warn({ bytes: payload.length }, "a command that cannot be read was refused");
    // A newer centre may know kinds that this agent does not: it is told, instead of waiting in vain.
    if (typeof id !== "string" || !isId(id)) return;
    const code = "COMMAND_UNSUPPORTED";
    const { message } = new EdgeError(code, "this agent cannot read the command");
    this.publishReply({ v: 1, commandId: id, ok: false, code, message }).catch(() => undefined);
  }

  async #publish(topic: string, payload: string, retain: boolean): Promise<void> {
    const client = this.#client;
    const closed = this.#closed.signal;
    if (!client) throw new EdgeError("SERVER_UNREACHABLE", "not connected to the centre");
    this.#probe.sent(payload.length);
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
