/** What this browser remembers of a wall. A browser that keeps nothing starts from the defaults each time. */
import { LAYOUTS, type Layout } from "./model/tile-arrangement.ts";

export interface WallPreferences {
  /** Null while nobody chose one: the wall then fits the number of cameras. */
  readonly layout: Layout | null;
  readonly pinned: ReadonlyMap<number, string>;
  readonly sound: boolean;
}

const KEY = "huishi.wall";
const DEFAULTS: WallPreferences = { layout: null, pinned: new Map(), sound: true };

/** Reads what was kept; anything damaged counts as nothing. */
export function parsePreferences(text: string | null): WallPreferences {
  try {
    const kept = JSON.parse(text ?? "") as { layout?: unknown; pinned?: unknown; sound?: unknown };
    const layout = LAYOUTS.find((known) => known === kept.layout) ?? DEFAULTS.layout;
    const pinned = Array.isArray(kept.pinned)
      ? kept.pinned.filter(
          (pin): pin is [number, string] =>
            Array.isArray(pin) && Number.isInteger(pin[0]) && typeof pin[1] === "string",
        )
      : [];
    return { layout, pinned: new Map(pinned), sound: kept.sound !== false };
  } catch {
    return DEFAULTS;
  }
}

export function writePreferences(preferences: WallPreferences): string {
  return JSON.stringify({ ...preferences, pinned: [...preferences.pinned] });
}

export function readPreferences(): WallPreferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return DEFAULTS;
  }
}

export function keepPreferences(preferences: WallPreferences): void {
  try {
    localStorage.setItem(KEY, writePreferences(preferences));
  } catch {
    // Private windows may refuse; the wall works without memory.
  }
}
