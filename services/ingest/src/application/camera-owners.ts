import type { AgentDirectory } from "./ports.ts";

/** After asking in vain about a camera, wait this long before asking again. */
const MISS_PAUSE_MS = 1_000;

/**
 * Which agent owns which camera, without asking the database for each fragment. Learns from committed batches and
 * reads the whole list again when somebody asks for a camera that it does not know, at most once a second.
 */
export class CameraOwners {
  readonly #directory: AgentDirectory;
  readonly #onFault: (fault: unknown) => void;
  readonly #listeners = new Set<(cameraId: string) => void>();
  #owners = new Map<string, string>();
  #reading: Promise<void> | null = null;
  #lastReadMs = -Infinity;
  #soon: NodeJS.Timeout | null = null;

  constructor(directory: AgentDirectory, onFault: (fault: unknown) => void) {
    this.#directory = directory;
    this.#onFault = onFault;
  }

  /** The owner, or undefined when it is not known (yet): then the list is read again in the background. */
  ownerOf(cameraId: string): string | undefined {
    const owner = this.#owners.get(cameraId);
    if (owner === undefined) this.#refreshSoon();
    return owner;
  }

  camerasOf(agentId: string): string[] {
    return [...this.#owners].filter(([, owner]) => owner === agentId).map(([cameraId]) => cameraId);
  }

  learn(owners: ReadonlyMap<string, string>): void {
    for (const [cameraId, agentId] of owners) {
      if (this.#owners.get(cameraId) === agentId) continue;
      this.#owners.set(cameraId, agentId);
      for (const listener of this.#listeners) listener(cameraId);
    }
  }

  /** Calls back for each camera that becomes known or changes hands. */
  onLearned(listener: (cameraId: string) => void): void {
    this.#listeners.add(listener);
  }

  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading;
  }

  #refreshSoon(): void {
    if (this.#soon) return;
    const pauseMs = Math.max(0, this.#lastReadMs + MISS_PAUSE_MS - performance.now());
    this.#soon = setTimeout(() => {
      this.#soon = null;
      void this.refresh();
    }, pauseMs);
    this.#soon.unref();
  }

  /** Reads nothing more. */
  close(): void {
    if (this.#soon) clearTimeout(this.#soon);
  }

  async #read(): Promise<void> {
    this.#lastReadMs = performance.now();
    try {
      const owners = await this.#directory.cameraOwners();
      for (const cameraId of this.#owners.keys()) if (!owners.has(cameraId)) this.#owners.delete(cameraId);
      this.learn(owners);
    } catch (fault) {
      this.#onFault(fault);
    }
  }
}
