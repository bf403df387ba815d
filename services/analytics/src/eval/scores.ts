import { type ClearCounts, clearCounts, mota } from "./clear-mot.ts";
import { type Hota, type HotaCounts, hota, hotaCounts } from "./hota.ts";
import { type IdentityCounts, idf1, identityCounts } from "./identity.ts";
import type { MotRow } from "./mot-format.ts";
import { scoredSequence } from "./sequence.ts";

/** All counts of one sequence; scores of several sequences come from their counts together, not from their means. */
export interface SequenceCounts {
  readonly hota: HotaCounts;
  readonly clear: ClearCounts;
  readonly identity: IdentityCounts;
}

export interface Scores extends Hota {
  readonly mota: number | null;
  readonly idf1: number | null;
  readonly idSwitches: number;
}

export function countSequence(truth: readonly MotRow[], result: readonly MotRow[]): SequenceCounts {
  const sequence = scoredSequence(truth, result);
  return { hota: hotaCounts(sequence), clear: clearCounts(sequence), identity: identityCounts(sequence) };
}

export function scores(parts: readonly SequenceCounts[]): Scores {
  const clear = parts.map((part) => part.clear);
  return {
    ...hota(parts.map((part) => part.hota)),
    mota: mota(clear),
    idf1: idf1(parts.map((part) => part.identity)),
    idSwitches: clear.reduce((sum, part) => sum + part.idSwitches, 0),
  };
}
