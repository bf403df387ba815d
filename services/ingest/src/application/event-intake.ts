import type { Clock } from "@huishi/kernel";
import { type BatchReceipt, validateBatch } from "../domain/event-validation.ts";
import type { GroupCommitter } from "./group-committer.ts";

export interface EventIntakeOptions {
  readonly committer: GroupCommitter;
  readonly clock: Clock;
  /** Told after each commit: seconds since the arrival, and since the agent recorded the last event. */
  readonly onCommitted?: (waitedS: number, lagS: number | null) => void;
}

/** The way of one message of the events topic: judged at once, resolved when everything of it is committed. */
export class EventIntake {
  readonly #options: EventIntakeOptions;

  constructor(options: EventIntakeOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the receipt that the agent asked for, or null.
   *
   * @param owner the connection it came by
   */
  async accept(
    owner: object,
    agentId: string,
    topic: string,
    payload: Uint8Array,
  ): Promise<BatchReceipt | null> {
    const { committer, clock, onCommitted } = this.#options;
    const ingestedAtMs = clock.nowMs();
    const { events, deadLetters, receipt } = validateBatch({ agentId, topic, payload, ingestedAtMs });
    // Parsed objects take about three times the bytes of their JSON.
    await committer.submit({ owner, agentId, events, deadLetters, bytes: payload.byteLength * 3 });
    const nowMs = clock.nowMs();
    const recordedAtMs = events.at(-1)?.event.agentAtMs;
    onCommitted?.(
      (nowMs - ingestedAtMs) / 1000,
      recordedAtMs === undefined ? null : (nowMs - recordedAtMs) / 1000,
    );
    return receipt;
  }
}
