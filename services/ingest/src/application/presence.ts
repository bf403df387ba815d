import { type AgentStatus, AgentStatusSchema } from "@huishi/contracts";
import { backoffDelayMs, sleep } from "@huishi/kernel";
import { Compile } from "typebox/compile";
import type { AgentDirectory, AgentPresence } from "./ports.ts";

const statusValidator = Compile(AgentStatusSchema);

/** Reads a status message; null when it is none. */
export function readStatus(payload: Uint8Array): AgentStatus | null {
  try {
    const status: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return statusValidator.Check(status) ? status : null;
  } catch {
    return null;
  }
}

interface Entry {
  wanted: AgentPresence | null;
  isWriting: boolean;
}

/**
 * Which agents are there. The last word about an agent wins and reaches the database in order, however often
 * writing it must be tried: a takeover's "offline" of the old connection never outlives the new one's "online".
 */
export class Presence {
  readonly #directory: AgentDirectory;
  readonly #onFault: (fault: unknown) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  readonly #writes = new Set<Promise<void>>();

  constructor(directory: AgentDirectory, onFault: (fault: unknown) => void) {
    this.#directory = directory;
    this.#onFault = onFault;
  }

  connected(agentId: string): void {
    this.#want(agentId, { online: true, status: null });
  }

  disconnected(agentId: string): void {
    this.#want(agentId, { online: false, status: null });
  }

  said(agentId: string, status: AgentStatus): void {
    this.#want(agentId, { online: status.online, status });
  }

  /** Tries no more; what is being written ends. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("closing"));
    await Promise.all(this.#writes);
  }

  #want(agentId: string, presence: AgentPresence): void {
    const entry = this.#entries.get(agentId) ?? { wanted: null, isWriting: false };
    this.#entries.set(agentId, entry);
    entry.wanted = { online: presence.online, status: presence.status ?? entry.wanted?.status ?? null };
    if (entry.isWriting) return;
    entry.isWriting = true;
    const write = this.#writeUntilDone(agentId, entry).finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  async #writeUntilDone(agentId: string, entry: Entry): Promise<void> {
    for (let attempt = 0; entry.wanted && !this.#stop.signal.aborted;) {
      const presence: AgentPresence = entry.wanted;
      entry.wanted = null;
      try {
        await this.#directory.writePresence(agentId, presence);
        attempt = 0;
      } catch (fault) {
        this.#onFault(fault);
        entry.wanted ??= presence;
        const delayMs = backoffDelayMs(attempt++, { baseDelayMs: 100, maxDelayMs: 5_000 }, Math.random);
        await sleep(delayMs, this.#stop.signal).catch(() => {});
      }
    }
    entry.isWriting = false;
    if (!entry.wanted) this.#entries.delete(agentId);
  }
}
