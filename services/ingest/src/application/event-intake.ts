import type { Clock } from "@huishi/kernel";
import { validateBatch } from "../domain/event-validation.ts";
import type { GroupCommitter } from "./group-committer.ts";

/** The way of one message of the events topic: judged at once, resolved when everything of it is committed. */
export class EventIntake {
  readonly #committer: GroupCommitter;
  readonly #clock: Clock;

  constructor(committer: GroupCommitter, clock: Clock) {
    this.#committer = committer;
    this.#clock = clock;
  }

  /** @param owner the connection it came by */
  accept(owner: object, agentId: string, topic: string, payload: Uint8Array): Promise<void> {
    const message = { agentId, topic, payload, ingestedAtMs: this.#clock.nowMs() };
    const { events, deadLetters } = validateBatch(message);
    // Parsed objects take about three times the bytes of their JSON.
    return this.#committer.submit({ owner, agentId, events, deadLetters, bytes: payload.byteLength * 3 });
  }
}
