import type { DeadLetter, DeadLetterState } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";

export interface DeadLettersAsked {
  readonly state: DeadLetterState | null;
  /** Keyset: smaller ids. */
  readonly before: string | null;
  readonly limit: number;
}

/** What a person may do with a dead letter. Ingest gives it again; it hears of `requested` by itself. */
const DEAD_LETTER_MOVES = {
  replay: { from: ["kept", "refused"], to: "requested" },
  dismiss: { from: ["kept", "refused"], to: "dismissed" },
  restore: { from: ["dismissed"], to: "kept" },
} as const satisfies Record<string, { from: readonly DeadLetterState[]; to: DeadLetterState }>;
export type DeadLetterMove = keyof typeof DEAD_LETTER_MOVES;

export interface DeadLetterChange {
  readonly id: string;
  readonly from: readonly DeadLetterState[];
  readonly to: DeadLetterState;
  readonly actor: string;
  /** Only where all of the message was kept. */
  readonly wholeOnly: boolean;
}

export interface DeadLetterStore {
  /** Newest first. */
  listDeadLetters(asked: DeadLettersAsked): Promise<DeadLetter[]>;
  findDeadLetter(id: string): Promise<DeadLetter | null>;
  /** The changed letter, or null when its state (or its being cut off) did not allow it. */
  changeDeadLetter(change: DeadLetterChange): Promise<DeadLetter | null>;
}

export async function pageDeadLetters(
  store: DeadLetterStore,
  asked: { state?: DeadLetterState; before?: string; limit?: number },
): Promise<{ deadLetters: DeadLetter[]; next: string | null }> {
  const { state = null, before = null, limit = 20 } = asked;
  const rows = await store.listDeadLetters({ state, before, limit: limit + 1 });
  const deadLetters = rows.slice(0, limit);
  return { deadLetters, next: rows.length > limit ? (deadLetters.at(-1)?.id ?? null) : null };
}

/** @throws HuishiError DEAD_LETTER_NOT_FOUND, DEAD_LETTER_TRUNCATED, DEAD_LETTER_MOVE_ILLEGAL with the state */
export async function moveDeadLetter(
  store: DeadLetterStore,
  move: DeadLetterMove,
  request: { id: string; actor: string },
): Promise<DeadLetter> {
  const moved = await store.changeDeadLetter({
    ...request,
    ...DEAD_LETTER_MOVES[move],
    wholeOnly: move === "replay",
  });
  if (moved !== null) return moved;
  const letter = await store.findDeadLetter(request.id);
  if (letter === null) {
    throw new HuishiError("DEAD_LETTER_NOT_FOUND", "There is no such dead letter; its time may be over.", {
      details: { id: request.id },
    });
  }
  if (move === "replay" && letter.truncated) {
    throw new HuishiError(
      "DEAD_LETTER_TRUNCATED",
      "Only the beginning of this message was kept, so it cannot be given again; dismiss it.",
      { details: { id: letter.id } },
    );
  }
  throw new HuishiError(
    "DEAD_LETTER_MOVE_ILLEGAL",
    `The dead letter is ${letter.state}; this is possible only while it is ${DEAD_LETTER_MOVES[move].from.join(" or ")}.`,
    { details: { state: letter.state, deadLetter: letter } },
  );
}
