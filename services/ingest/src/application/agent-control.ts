import {
  type AgentCommand,
  commandTopic,
  type CommandReply,
  CommandReplySchema,
  configTopic,
  MAX_COMMAND_BYTES,
} from "@huishi/contracts";
import { type Runnable, sleep } from "@huishi/kernel";
import { Compile } from "typebox/compile";

/** What was missed is found this often: notifications are lost while the listening connection is away. */
const SWEEP_MS = 5_000;
/** Agents with work at once; each waits for two short questions. Overflow policy: none, they wait their turn. */
const LANES = 2;

const replyValidator = Compile(CommandReplySchema);

/** Configurations and commands in the database. */
export interface ControlStore {
  /** The configuration as it is published, or null when the agent has none. */
  configOf(agentId: string): Promise<object | null>;
  /**
   * Open commands in the order they were given, now marked as sent.
   *
   * @param again those too that were sent before and have no reply: their connection may have ended first
   */
  takeCommands(agentId: string, again: boolean): Promise<AgentCommand[]>;
  /** Those of the agents that have commands to be sent. Marks commands that came too late. */
  withWork(agentIds: readonly string[]): Promise<readonly string[]>;
  /** False when this agent has no such command without a reply. */
  writeReply(agentId: string, reply: CommandReply): Promise<boolean>;
}

export interface AgentControlOptions {
  readonly store: ControlStore;
  publishRetained(topic: string, payload: Buffer): void;
  /** To one agent, at QoS 1, not kept. */
  publish(topic: string, payload: Buffer): void;
  onFault(what: string): (fault: unknown) => void;
  readonly sweepMs?: number;
}

interface Errand {
  config: boolean;
  commands: "none" | "new" | "again";
}

/**
 * Tells agents their configuration (retained) and their commands (once each while it is known to have arrived), and
 * writes down what they reply. One errand an agent at a time, so that nothing overtakes what was told before.
 */
export class AgentControl implements Runnable {
  readonly name = "control of the agents";
  readonly #options: AgentControlOptions;
  readonly #listening = new Set<string>();
  readonly #errands = new Map<string, Errand>();
  readonly #running = new Set<string>();

  constructor(options: AgentControlOptions) {
    this.#options = options;
  }

  /** The agent hears us from now on. */
  subscribed(agentId: string): void {
    this.#listening.add(agentId);
    this.#want(agentId, { config: true, commands: "again" });
  }

  gone(agentId: string): void {
    this.#listening.delete(agentId);
  }

  configChanged(agentId: string): void {
    this.#want(agentId, { config: true, commands: "none" });
  }

  commandGiven(agentId: string): void {
    if (this.#listening.has(agentId)) this.#want(agentId, { config: false, commands: "new" });
  }

  /** Never rejects: a reply that cannot be stored leaves its command without one. */
  async reply(agentId: string, payload: Uint8Array): Promise<void> {
    const reply = payload.byteLength <= MAX_COMMAND_BYTES ? readReply(payload) : null;
    const unreadable = this.#options.onFault("a reply was not what the contract says");
    if (!reply) return unreadable({ agentId, bytes: payload.byteLength });
    try {
      await this.#options.store.writeReply(agentId, reply);
    } catch (fault) {
      this.#options.onFault("a reply could not be stored")(fault);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, sweepMs = SWEEP_MS } = this.#options;
    for (;;) {
      for (const agentId of await store.withWork([...this.#listening])) this.commandGiven(agentId);
      await sleep(sweepMs, signal);
    }
  }

  #want(agentId: string, wanted: Errand): void {
    const known = this.#errands.get(agentId);
    this.#errands.set(agentId, known ? merged(known, wanted) : wanted);
    this.#pump();
  }

  #pump(): void {
    for (const [agentId, errand] of this.#errands) {
      if (this.#running.size >= LANES) return;
      if (this.#running.has(agentId)) continue;
      this.#errands.delete(agentId);
      this.#running.add(agentId);
      void this.#do(agentId, errand)
        .catch(this.#options.onFault("an agent could not be told its configuration or commands"))
        .finally(() => {
          this.#running.delete(agentId);
          this.#pump();
        });
    }
  }

  async #do(agentId: string, { config, commands }: Errand): Promise<void> {
    const { store, publishRetained, publish } = this.#options;
    const document = config ? await store.configOf(agentId) : null;
    if (document) publishRetained(configTopic(agentId), Buffer.from(JSON.stringify(document)));
    if (commands === "none" || !this.#listening.has(agentId)) return;
    for (const command of await store.takeCommands(agentId, commands === "again"))
      publish(commandTopic(agentId), Buffer.from(JSON.stringify(command)));
  }
}

function merged(one: Errand, other: Errand): Errand {
  const rank = ["none", "new", "again"] as const;
  const commands = rank.indexOf(one.commands) > rank.indexOf(other.commands) ? one.commands : other.commands;
  return { config: one.config || other.config, commands };
}

function readReply(payload: Uint8Array): CommandReply | null {
  try {
    const reply: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return replyValidator.Check(reply) ? reply : null;
  } catch {
    return null;
  }
}
