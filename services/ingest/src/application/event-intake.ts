import { type BatchReceipt, validateBatch } from "../domain/event-validation.ts";
import type { GroupCommitter } from "./group-committer.ts";

/** The way of one message of the events topic: judged at once, resolved when everything of it is committed. */
export class EventIntake {
  readonly #committer: GroupCommitter;

  constructor(committer: GroupCommitter) {
    this.#committer = committer;
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
    const { events, deadLetters, receipt } = validateBatch(agentId, topic, payload);
    // Parsed objects take about three times the bytes of their JSON.
    await this.#committer.submit({ owner, agentId, events, deadLetters, bytes: payload.byteLength * 3 });
    return receipt;
  }
}
