import type { Camera } from "@huishi/contracts";

/** What is said of a camera: by the edge (condition, faults), and by the centre's own look at its pictures. */
export interface EdgeWord {
  readonly condition: Camera["condition"];
  readonly sinceMs: number | null;
  /** Null: not known. */
  readonly faults: Camera["faults"];
}

export interface CentreWord {
  /** Null: not judged. */
  readonly faults: Camera["faults"];
  /** When it was said. */
  readonly atMs: number | null;
}

/** Analytics says a fault again every ten minutes: what it said no more for so long was said by a process that died. */
const CENTRE_WORD_KEPT_MS = 30 * 60_000;

/**
 * Both together. Whether the camera is there is the edge's word alone; what is wrong with its picture is what either
 * finds (they use the same judge, but the centre sees what came over the line), and of one fault the edge's word counts.
 */
export function seenState(edge: EdgeWord, centre: CentreWord, nowMs: number): EdgeWord {
  const isThere = edge.condition === "online" || edge.condition === "degraded";
  const isFresh = centre.atMs !== null && nowMs - centre.atMs < CENTRE_WORD_KEPT_MS;
  const judged = isThere ? centre.faults : null;
  // Nothing is wrong is said once: it needs no second time to be believed.
  if (judged === null || (judged.length > 0 && !isFresh)) return edge;
  const known = new Set(edge.faults?.map(({ fault }) => fault));
  const further = judged.filter(({ fault }) => !known.has(fault));
  const faults = [...(edge.faults ?? []), ...further];
  if (edge.condition === "degraded" || further.length === 0) return { ...edge, faults };
  return { condition: "degraded", sinceMs: Math.min(...further.map(({ sinceMs }) => sinceMs)), faults };
}
