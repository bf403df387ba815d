import { type AgentConfig, checkAgentConfig, type ConfigState } from "@huishi/contracts";
import { HuishiError, messageOf } from "@huishi/kernel";
import { EdgeError } from "../domain/faults.ts";
import type { Log } from "./ports.ts";

const MAX_MESSAGE = 500;

/** A part of the agent that follows the configuration. */
export interface Configurable {
  /** For the log. */
  readonly name: string;
  /** Throws an EdgeError that names the field it cannot do. Changes nothing. */
  check?(config: AgentConfig): void;
  /** Becomes what the configuration says; null: as if there were none. Throws like `check` when it cannot. */
  apply(config: AgentConfig | null): Promise<void> | void;
}

/** Keeps the configuration for starts without the centre. */
export interface ConfigurationStore {
  load(): Promise<AgentConfig | null>;
  save(config: AgentConfig): Promise<void>;
}

export interface ConfigurationOptions {
  readonly store: ConfigurationStore;
  readonly log: Log;
  /** The state changed: the centre is to be told. */
  onState(state: ConfigState): void;
}

/**
 * The centre's configuration: applied as a whole or refused as a whole. One at a time; of those that come meanwhile
 * the last one counts. Older and equal revisions are ignored.
 */
export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #parts: Configurable[] = [];
  #current: AgentConfig | null = null;
  #state: ConfigState | null = null;
  #next: AgentConfig | null = null;
  #working: Promise<void> | null = null;
  /** Of whatever was taken up, applied, refused or still waiting. */
  #seenRevision = 0;

  constructor(options: ConfigurationOptions) {
    this.#options = options;
  }

  get current(): AgentConfig | null {
    return this.#current;
  }

  get state(): ConfigState | null {
    return this.#state;
  }

  /** Applied in this order, taken back in the reverse one. Before `restore`. */
  add(part: Configurable): void {
    this.#parts.push(part);
  }

  /** What was applied before the last stop holds at once, with or without the centre. */
  async restore(): Promise<void> {
    const stored = await this.#options.store.load();
    if (!stored) return;
    this.#seenRevision = stored.revision;
    await this.#take(stored, false);
  }

  offer(config: AgentConfig): void {
    if (config.revision <= this.#seenRevision) return;
    this.#seenRevision = config.revision;
    this.#next = config;
    this.#working ??= this.#work().finally(() => (this.#working = null));
  }

  /** What came cannot even be read. */
  refuseUnreadable(revision: unknown, why: string): void {
    if (!Number.isSafeInteger(revision) || (revision as number) <= this.#seenRevision) return;
    this.#say({
      revision: revision as number,
      state: "refused",
      ...reason(new EdgeError("CONFIG_REFUSED", why)),
    });
  }

  /** Resolves when nothing is being applied. */
  async settle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async #work(): Promise<void> {
    for (let config = this.#next; config; config = this.#next) {
      this.#next = null;
      await this.#take(config, true);
    }
  }

  async #take(config: AgentConfig, isNew: boolean): Promise<void> {
    const { revision } = config;
    const { log, store } = this.#options;
    try {
      this.#check(config);
      await this.#apply(config);
    } catch (error) {
      log.warn({ revision, err: error }, "configuration refused");
      return this.#say({ revision, state: "refused", ...reason(error) });
    }
    this.#current = config;
    if (isNew) {
      await store
        .save(config)
        .catch((err: unknown) => log.error({ revision, err }, "the configuration could not be stored"));
    }
    log.info(
      { revision, cameras: config.cameras.length, sensors: config.sensors.length },
      "configuration applied",
    );
    this.#say({ revision, state: "applied" });
  }

  #check(config: AgentConfig): void {
    const fault = checkAgentConfig(config);
    if (fault) throw new EdgeError("CONFIG_REFUSED", `${fault.path} ${fault.message}`);
    for (const part of this.#parts) part.check?.(config);
  }

  /** When a part cannot, it and those before it go back to what was. */
  async #apply(config: AgentConfig): Promise<void> {
    for (const [i, part] of this.#parts.entries()) {
      try {
        await part.apply(config);
      } catch (error) {
        for (const changed of this.#parts.slice(0, i + 1).reverse()) await this.#takeBack(changed);
        throw error;
      }
    }
  }

  async #takeBack(part: Configurable): Promise<void> {
    try {
      await part.apply(this.#current);
    } catch (err) {
      this.#options.log.error(
        { part: part.name, err },
        "the former configuration could not be applied again",
      );
    }
  }

  #say(state: ConfigState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

/** Only our own messages are known to hold no password. */
function reason(error: unknown): { code: string; message: string } {
  const isOurs = error instanceof HuishiError;
  const message = isOurs ? messageOf(error) : "something went wrong in the agent; its log says what";
  return { code: isOurs ? error.code : "INTERNAL", message: message.slice(0, MAX_MESSAGE) };
}
