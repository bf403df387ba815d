import type { CommandBody, CommandReply } from "@huishi/contracts";
import { HuishiError, sleep } from "@huishi/kernel";
import { randomUUID } from "node:crypto";

/** How long a command may begin, unless its sender says otherwise. */
const VALID_MS = 10_000;
/** What the way to the agent and back may take beside that. */
const WAY_MS = 2_000;
/** A reply whose notification was lost is found this often. */
const LOOK_MS = 1_000;
/** Requests that wait for a reply at once. Overflow policy: refused with BUSY. */
const MAX_WAITING = 500;

export interface NewCommand {
  readonly id: string;
  readonly agentId: string;
  readonly body: CommandBody;
  readonly validMs: number;
  /** Who gave it, for the record. */
  readonly by: string;
}

/** Where commands wait for ingest and their outcome for us. */
export interface CommandStore {
  agentState(agentId: string): Promise<{ readonly online: boolean; readonly revoked: boolean } | null>;
  agentOfCamera(cameraId: string): Promise<string | null>;
  add(command: NewCommand): Promise<void>;
  /** null while there is none. */
  outcomeOf(id: string): Promise<CommandReply | null>;
  /** A command that was not sent yet never will be. */
  giveUp(id: string): Promise<void>;
}

export interface SendOptions {
  /** How long it may wait before it begins; default 10 s. */
  readonly validMs?: number;
  /** How long its reply is waited for; default `validMs` and 2 s. */
  readonly waitMs?: number;
  readonly by: string;
  readonly signal?: AbortSignal;
}

/** The bridge from a request to an agent in the field and back. */
export class AgentCommands {
  readonly #store: CommandStore;
  readonly #waiting = new Map<string, () => void>();

  constructor(store: CommandStore) {
    this.#store = store;
  }

  /**
   * Sends a command and resolves with what the agent replied, be it yes or no.
   *
   * @throws HuishiError AGENT_NOT_FOUND, AGENT_REVOKED, AGENT_OFFLINE (at once), COMMAND_TIMEOUT, BUSY
   */
  async send(agentId: string, body: CommandBody, options: SendOptions): Promise<CommandReply> {
    const { validMs = VALID_MS, waitMs = validMs + WAY_MS, by, signal } = options;
    signal?.throwIfAborted();
    await this.#requireOnline(agentId);
    if (this.#waiting.size >= MAX_WAITING) {
      throw new HuishiError("BUSY", "Too many commands wait for their agents; try again in a moment.");
    }
    const id = randomUUID();
    // Before the row is there, so that no notification is missed.
    this.#waiting.set(id, () => undefined);
    try {
      await this.#store.add({ id, agentId, body, validMs, by });
      return await this.#waitFor(id, waitMs, signal);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /**
   * Sends a command to the agent that has the camera; a refusal is thrown.
   *
   * @returns the result that the agent gave
   * @throws HuishiError those of `send`, CAMERA_NOT_FOUND, COMMAND_FAILED with the agent's own code in `details`
   */
  async sendToCamera(
    cameraId: string,
    body: CommandBody,
    options: SendOptions,
  ): Promise<Record<string, unknown>> {
    return requireDone(await this.send(await this.agentOfCamera(cameraId), body, options));
  }

  /** @throws HuishiError CAMERA_NOT_FOUND */
  async agentOfCamera(cameraId: string): Promise<string> {
    const agentId = await this.#store.agentOfCamera(cameraId);
    if (agentId === null) {
      throw new HuishiError("CAMERA_NOT_FOUND", "There is no such camera; it may have been deleted.");
    }
    return agentId;
  }

  /** There is news of this command, or (null) news may have been missed. */
  wake(id: string | null): void {
    if (id === null) for (const wake of this.#waiting.values()) wake();
    else this.#waiting.get(id)?.();
  }

  async #requireOnline(agentId: string): Promise<void> {
    const state = await this.#store.agentState(agentId);
    if (!state) throw agentNotFound();
    if (state.revoked) throw agentRevoked();
    if (!state.online) {
      throw new HuishiError(
        "AGENT_OFFLINE",
        "The agent is not connected; look at its power and network, and try again.",
      );
    }
  }

  async #waitFor(id: string, waitMs: number, signal?: AbortSignal): Promise<CommandReply> {
    const deadline = AbortSignal.timeout(waitMs);
    const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
    for (;;) {
      const woken = new Promise<void>((resolve) => this.#waiting.set(id, resolve));
      const outcome = await this.#store.outcomeOf(id);
      if (outcome) return outcome;
      const isOver = await Promise.race([woken, sleep(LOOK_MS, stop)]).then(
        () => false,
        () => true,
      );
      if (!isOver) continue;
      await this.#store.giveUp(id);
      signal?.throwIfAborted();
      // It may have come while it was given up.
      const last = await this.#store.outcomeOf(id);
      if (last && last.code !== "COMMAND_EXPIRED") return last;
      throw commandTimeout();
    }
  }
}

/** @throws HuishiError COMMAND_FAILED, COMMAND_TIMEOUT */
export function requireDone(reply: CommandReply): Record<string, unknown> {
  if (reply.ok) return reply.result ?? {};
  if (reply.code === "COMMAND_EXPIRED") throw commandTimeout();
  throw new HuishiError("COMMAND_FAILED", `The agent could not do it: ${reply.message ?? reply.code ?? ""}`, {
    details: { code: reply.code ?? "INTERNAL", reason: reply.message ?? "" },
  });
}

export const agentNotFound = (): HuishiError => new HuishiError("AGENT_NOT_FOUND", "There is no such agent.");

const agentRevoked = (): HuishiError =>
  new HuishiError("AGENT_REVOKED", "This agent was revoked; claim it anew to use it again.");

const commandTimeout = (): HuishiError =>
  new HuishiError(
    "COMMAND_TIMEOUT",
    "The agent did not answer in time; it may be busy or its uplink too slow.",
  );
