import type { AgentCommand, CommandKind, CommandReply } from "@huishi/contracts";
import { HuishiError, messageOf } from "@huishi/kernel";
import { CommandClock } from "../domain/command-clock.ts";
import { EdgeError } from "../domain/faults.ts";
import type { CommandHandler, Log, ReplyLink } from "./ports.ts";

/** Commands that are carried out at once. */
const MAX_RUNNING = 4;
/** Commands that wait for that. Overflow policy: `refuseNewest`, answered with COMMAND_QUEUE_FULL. */
const MAX_WAITING = 64;
/** Answers that are remembered, so that a command that comes twice is done once. Overflow policy: `dropOldest`. */
const MAX_REMEMBERED = 256;
const MAX_MESSAGE = 500;

export interface CommandDeskOptions {
  /** Never steps, unlike the clock on the wall; default `performance.now()`. */
  readonly steadyMs?: () => number;
  readonly log: Log;
  readonly replies: ReplyLink;
  readonly maxRunning?: number;
  readonly maxWaiting?: number;
}

interface Entry {
  /** Absent while the command waits or runs: its answer goes out when it is done. */
  reply?: CommandReply;
}

/**
 * Takes the centre's commands, has each carried out once by the handler of its kind, and answers every one. What comes
 * twice (QoS 1, a lost reply) is answered from memory; what comes too late is not done.
 */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  readonly #handlers = new Map<CommandKind, CommandHandler>();
  readonly #known = new Map<string, Entry>();
  readonly #waiting: { command: AgentCommand; untilMs: number }[] = [];
  readonly #lateness = new CommandClock();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(options: CommandDeskOptions) {
    this.#options = options;
  }

  /** @throws Error when the kind has a handler already */
  register<K extends CommandKind>(kind: K, handler: CommandHandler<K>): void {
    if (this.#handlers.has(kind)) throw new Error(`the command ${kind} has two handlers`);
    // The kind is compared before the handler is called with the body.
    this.#handlers.set(kind, handler as unknown as CommandHandler);
  }

  take(command: AgentCommand): void {
    const known = this.#known.get(command.id);
    if (known) {
      if (known.reply) this.#send(known.reply);
      return;
    }
    this.#remember(command.id);
    const nowMs = this.#now();
    const leftMs = command.validMs - this.#lateness.lateness(command.issuedAtMs, nowMs);
    if (leftMs <= 0) return this.#refuse(command, "COMMAND_EXPIRED", "the command came too late");
    if (!this.#handlers.has(command.body.kind))
      return this.#refuse(command, "COMMAND_UNSUPPORTED", `this agent knows no command ${command.body.kind}`);
    if (this.#waiting.length >= (this.#options.maxWaiting ?? MAX_WAITING))
      return this.#refuse(command, "COMMAND_QUEUE_FULL", "too many commands wait for this agent");
    this.#waiting.push({ command, untilMs: nowMs + leftMs });
    this.#pump();
  }

  /** A new connection: the centre's clock may have been set since the last one. */
  connected(): void {
    this.#lateness.forget();
  }

  /** Ends what runs and waits for it. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the agent stops"));
    this.#waiting.length = 0;
    await Promise.all(this.#running);
  }

  #now(): number {
    return this.#options.steadyMs?.() ?? performance.now();
  }

  #pump(): void {
    while (this.#running.size < (this.#options.maxRunning ?? MAX_RUNNING)) {
      const next = this.#waiting.shift();
      if (!next || this.#stop.signal.aborted) return;
      if (this.#now() > next.untilMs) {
        this.#refuse(next.command, "COMMAND_EXPIRED", "the command waited too long for others");
        continue;
      }
      const work = this.#carryOut(next.command).finally(() => {
        this.#running.delete(work);
        this.#pump();
      });
      this.#running.add(work);
    }
  }

  async #carryOut({ id, body }: AgentCommand): Promise<void> {
    const { log } = this.#options;
    const handler = this.#handlers.get(body.kind);
    try {
      const result = (await handler?.(body, this.#stop.signal)) ?? {};
      this.#answer({ v: 1, commandId: id, ok: true, result });
      log.info({ commandId: id, kind: body.kind }, "command carried out");
    } catch (error) {
      const isOurs = error instanceof HuishiError;
      // Only our own messages are known to hold no password or address of a camera.
      const message = isOurs ? messageOf(error) : "something went wrong in the agent; its log says what";
      log.warn({ commandId: id, kind: body.kind, err: error }, "command failed");
      this.#answer({
        v: 1,
        commandId: id,
        ok: false,
        code: isOurs ? error.code.slice(0, 64) : "INTERNAL",
        message: message.slice(0, MAX_MESSAGE),
      });
    }
  }

  #refuse(
    { id, body }: AgentCommand,
    code: "COMMAND_EXPIRED" | "COMMAND_UNSUPPORTED" | "COMMAND_QUEUE_FULL",
    what: string,
  ): void {
    this.#options.log.warn({ commandId: id, kind: body.kind, code }, "command refused");
    const message = messageOf(new EdgeError(code, what)).slice(0, MAX_MESSAGE);
    this.#answer({ v: 1, commandId: id, ok: false, code, message });
  }

  #remember(id: string): void {
    if (this.#known.size >= MAX_REMEMBERED) {
      for (const [oldest, { reply }] of this.#known) {
        if (!reply) continue;
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(id, {});
  }

  #answer(reply: CommandReply): void {
    const entry = this.#known.get(reply.commandId);
    if (entry) entry.reply = reply;
    this.#send(reply);
  }

  /** A reply that does not get through is sent again when the centre sends the command again. */
  #send(reply: CommandReply): void {
    this.#options.replies
      .publishReply(reply)
      .catch((err: unknown) =>
        this.#options.log.info({ commandId: reply.commandId, err }, "a reply was not delivered"),
      );
  }
}
