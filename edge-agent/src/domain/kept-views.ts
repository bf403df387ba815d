// Which kept view of a camera says what is usual now: light changes with the hour, the view does not.

/** Three hours: the sun's shadows of one slot resemble those of the same slot of another day. */
const SLOT_MS = 3 * 3_600_000;
export const VIEW_SLOTS = 8;
/** After a restart within this time the last view is as good as never gone. */
const FRESH_MS = 30 * 60_000;
/** Older than this the season, the trees and the street are others. */
const STALE_MS = 3 * 24 * 3_600_000;

export interface KeptView {
  readonly slot: number;
  readonly savedAtMs: number;
}

/** Slot of a day (UTC), 0 to 7. */
export function viewSlot(atMs: number): number {
  return Math.floor(atMs / SLOT_MS) % VIEW_SLOTS;
}

/** The newest when it is fresh, else the one of this time of day, if it is not stale; null when none will do. */
export function fittingView<T extends KeptView>(kept: readonly T[], nowMs: number): T | null {
  // What a clock that was set has put into the future is not known to be anything.
  const past = kept.filter(({ savedAtMs }) => savedAtMs <= nowMs && nowMs - savedAtMs <= STALE_MS);
  const newest = past.reduce<T | null>((best, v) => (best && best.savedAtMs >= v.savedAtMs ? best : v), null);
  if (newest && nowMs - newest.savedAtMs <= FRESH_MS) return newest;
  return past.find(({ slot }) => slot === viewSlot(nowMs)) ?? null;
}
