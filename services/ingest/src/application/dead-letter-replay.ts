import { HuishiError, type Clock, messageOf, sleep } from "@huishi/kernel";
import { validateBatch } from "../domain/event-validation.ts";
import type { DeadLetter, EventRow } from "../domain/records.ts";

const LOOK_MS = 1_000;

/** A dead letter that somebody wants to be given again. */
export interface RequestedLetter {
  readonly id: string;
  readonly agentId: string;
  readonly topic: string;
  /** Of the one event that it holds; null: a whole message. */
  readonly boot: string | null;
  readonly payload: Uint8Array;
}

/** Where dead letters lie. */
export interface DeadLetterBox {
  requested(): Promise<readonly RequestedLetter[]>;
  settle(id: string, state: "replayed" | "refused", outcome: string): Promise<void>;
}

/** Takes the events of dead letters; `refused` are those that are refused again. */
export interface ReplayStore {
  replay(
    events: readonly EventRow[],
  ): Promise<{ inserted: number; duplicates: number; refused: readonly DeadLetter[] }>;
}

/**
 * Gives dead letters again that a person has asked for, after what was wrong has been mended (a camera registered, an
 * agent updated, a fault of ours). A letter whose outcome could not be written is given again: events settle
 * themselves by their identity.
 */
export class DeadLetterReplay {
  readonly name = "dead letter replay";
  readonly #box: DeadLetterBox;
  readonly #store: ReplayStore;
  readonly #clock: Clock;

  constructor(box: DeadLetterBox, store: ReplayStore, clock: Clock) {
    this.#box = box;
    this.#store = store;
    this.#clock = clock;
  }

  /** Runs until the signal aborts; throws when the database cannot be used. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const letter of await this.#box.requested()) {
        const { state, outcome } = await this.#replay(letter);
        await this.#box.settle(letter.id, state, outcome);
      }
      await sleep(LOOK_MS, signal).catch(() => {});
    }
  }

  async #replay(letter: RequestedLetter): Promise<{ state: "replayed" | "refused"; outcome: string }> {
    const { agentId, topic } = letter;
    const read = validateBatch({
      agentId,
      topic,
      payload: messageIn(letter),
      ingestedAtMs: this.#clock.nowMs(),
    });
    try {
      const { inserted, duplicates, refused } = await this.#store.replay(read.events);
      const again = [...read.deadLetters, ...refused];
      const stored = `${inserted} stored, ${duplicates} known before`;
      const reasons = again.map(({ code, reason }) => `${code}: ${reason}`).slice(0, 3);
      return again.length > 0
        ? { state: "refused", outcome: `${stored}, ${again.length} refused again (${reasons.join("; ")})` }
        : { state: "replayed", outcome: stored };
    } catch (thrown) {
      if (!(thrown instanceof HuishiError) || thrown.code !== "EVENT_REFUSED") throw thrown;
      return { state: "refused", outcome: messageOf(thrown) };
    }
  }
}

/** The message that holds the letter's event alone, or the message that it is. */
function messageIn({ boot, payload }: RequestedLetter): Uint8Array {
  if (boot === null) return payload;
  return Buffer.from(
    `{"v":1,"boot":${JSON.stringify(boot)},"events":[${Buffer.from(payload).toString("utf8")}]}`,
  );
}
