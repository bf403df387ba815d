import type { DeadLetter, EventRow } from "../domain/records.ts";

export interface WriteResult {
  /** Events that are new. */
  readonly inserted: number;
  /** Events that were there before. */
  readonly duplicates: number;
  readonly deadLetters: number;
}

/** Where events are kept. `write` is one transaction: when it resolves, all of it is on disk. */
export interface EventStore {
  /**
   * Throws a HuishiError with code EVENT_REFUSED when the store blames the values (writing the same again would
   * fail again); anything else it throws may pass by itself.
   */
  write(events: readonly EventRow[], deadLetters: readonly DeadLetter[]): Promise<WriteResult>;
}

/** What ingest asks and tells about agents and their cameras. */
export interface AgentDirectory {
  /** What the agent may sign in with, or null when it is unknown. */
  secretsOf(agentId: string): Promise<AgentSecrets | null>;
  /** The new secret signed in: the old one is dead from now on. */
  adoptSecret(agentId: string, hash: Uint8Array): Promise<void>;
  /** Those of the given agents that are revoked or gone. */
  revokedAmong(agentIds: readonly string[]): Promise<string[]>;
  markAllOffline(): Promise<void>;
  writePresence(agentId: string, presence: AgentPresence): Promise<void>;
  /** camera id -> agent id. */
  cameraOwners(): Promise<Map<string, string>>;
}

export interface AgentSecrets {
  /** SHA-256. */
  readonly current: Uint8Array;
  /** SHA-256 of the one that the agent is changing to. */
  readonly next: Uint8Array | null;
  readonly isRevoked: boolean;
}

export interface AgentPresence {
  readonly online: boolean;
  /** The agent's last status message; null leaves what is stored. */
  readonly status: object | null;
}
