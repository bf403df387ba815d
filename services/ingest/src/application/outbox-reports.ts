import type { AgentStatus } from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";

/** Agents remembered; beyond it the one that reported longest ago is forgotten. */
const MAX_AGENTS = 10_000;

/** An agent's outbox by its last status. */
export interface OutboxReport {
  readonly depth: number;
  readonly ageS: number;
  readonly bytes: number;
  readonly lost: number;
  readonly reportAgeS: number;
}

/** The last word of each agent on its outbox, for metrics. */
export class OutboxReports {
  readonly #clock: Clock;
  readonly #last = new Map<string, { status: AgentStatus; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  said(agentId: string, status: AgentStatus): void {
    // A Will tells nothing of the outbox.
    if (status.outboxDepth === undefined) return;
    this.#last.delete(agentId);
    this.#last.set(agentId, { status, atMs: this.#clock.nowMs() });
    if (this.#last.size > MAX_AGENTS) this.#last.delete(this.#last.keys().next().value as string);
  }

  *reports(): Generator<readonly [agentId: string, report: OutboxReport]> {
    const nowMs = this.#clock.nowMs();
    for (const [agentId, { status, atMs }] of this.#last) {
      // Both times are the agent's own: its clock need not be ours.
      const ageMs = status.outboxOldestMs === undefined ? 0 : status.atMs - status.outboxOldestMs;
      const report = {
        depth: status.outboxDepth ?? 0,
        ageS: Math.max(0, ageMs) / 1000,
        bytes: status.outboxBytes ?? 0,
        lost: status.outboxLost ?? 0,
        reportAgeS: (nowMs - atMs) / 1000,
      };
      yield [agentId, report];
    }
  }
}
