import type { EventDraft } from "../../application/ports.ts";

export type LossReason = Extract<EventDraft, { type: "outbox_gap" }>["reason"];

/** Events of one type that were given up for one reason. */
export interface Loss {
  readonly reason: LossReason;
  readonly type: string;
  readonly count: number;
  /** Capture times of the first and the last of them. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What losing one stored event loses: itself, or, for a gap event, all that it told of. */
export function lossOf(
  event: { readonly type: string; readonly capturedAtMs: number; readonly json: string },
  reason: LossReason,
): Loss[] {
  const gap = event.type === "outbox_gap" ? parseGap(event.json) : null;
  if (gap) {
    return Object.entries(gap.lost).map(([type, count]) => ({
      reason: gap.reason,
      type,
      count,
      fromMs: gap.fromMs,
      toMs: gap.toMs,
    }));
  }
  return [{ reason, type: event.type, count: 1, fromMs: event.capturedAtMs, toMs: event.capturedAtMs }];
}

function parseGap(json: string): Extract<EventDraft, { type: "outbox_gap" }> | null {
  try {
    return JSON.parse(json) as Extract<EventDraft, { type: "outbox_gap" }>;
  } catch {
    return null;
  }
}

/** Adds up losses of the same reason and type. */
export function sumLosses(losses: Iterable<Loss>): Loss[] {
  const sums = new Map<string, Loss>();
  for (const loss of losses) {
    const key = `${loss.reason} ${loss.type}`;
    const sum = sums.get(key);
    sums.set(key, sum ? mergeLoss(sum, loss) : loss);
  }
  return [...sums.values()];
}

function mergeLoss(a: Loss, b: Loss): Loss {
  return {
    ...a,
    count: a.count + b.count,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
  };
}

/** One gap event a reason: what is missing, of which types, captured from when to when. */
export function gapEvents(losses: readonly Loss[]): EventDraft[] {
  const reasons = [...new Set(losses.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const ofReason = losses.filter((loss) => loss.reason === reason);
    const fromMs = epochMs(Math.min(...ofReason.map((loss) => loss.fromMs)));
    const toMs = epochMs(Math.max(...ofReason.map((loss) => loss.toMs)));
    return {
      type: "outbox_gap",
      capturedAtMs: toMs,
      reason,
      lost: Object.fromEntries(ofReason.map(({ type, count }) => [type, count])),
      fromMs,
      toMs,
    };
  });
}

/** A damaged row may hold any number; the contract takes times of this era only (`EpochMs`). */
function epochMs(ms: number): number {
  return Math.min(8_640_000_000_000, Math.max(0, Math.trunc(ms)));
}
