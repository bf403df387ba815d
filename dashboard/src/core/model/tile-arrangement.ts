/** Which camera stands on which tile. Pure: the same wall from the same facts, and no tile moves without need. */
import type { Priority } from "@huishi/contracts";

export const LAYOUTS = [1, 4, 9, 16] as const;
export type Layout = (typeof LAYOUTS)[number];
/** The layout that somebody chose, else the smallest that shows all cameras. */
export function layoutFor(chosen: Layout | null, cameraCount: number): Layout {
  return chosen ?? LAYOUTS.find((layout) => layout >= cameraCount) ?? 16;
}

/** Camera ids by position; null is an empty tile. */
export type Tiles = readonly (string | null)[];

export interface ArrangementFacts {
  readonly layout: Layout;
  /** Position to camera, as somebody put it there by hand. */
  readonly pinned: ReadonlyMap<number, string>;
  readonly previous: Tiles;
  /** All cameras in their order of name. */
  readonly cameraIds: readonly string[];
  /** Cameras with an unacknowledged alarm and its highest priority. */
  readonly alarmed: ReadonlyMap<string, Priority>;
}

/** Smaller is more urgent. */
export function urgency(priority: Priority | undefined): number {
  return priority === undefined ? 9 : Number(priority.slice(1));
}

/**
 * Pinned cameras first, then whoever stood there before, then the others in their order. A camera with an
 * alarm that is on no tile takes the last tile that is neither pinned nor more urgent.
 */
export function arrangeTiles({ layout, pinned, previous, cameraIds, alarmed }: ArrangementFacts): Tiles {
  const known = new Set(cameraIds);
  const tiles: (string | null)[] = Array.from({ length: layout }, () => null);
  const placed = new Set<string>();
  const place = (position: number, cameraId: string | null | undefined): void => {
    if (!cameraId || tiles[position] || placed.has(cameraId) || !known.has(cameraId)) return;
    tiles[position] = cameraId;
    placed.add(cameraId);
  };
  for (const [position, cameraId] of pinned) if (position < layout) place(position, cameraId);
  for (let position = 0; position < layout; position++) place(position, previous[position]);
  const waiting = cameraIds.filter((id) => !placed.has(id));
  waiting.sort((a, b) => urgency(alarmed.get(a)) - urgency(alarmed.get(b)));
  for (let position = 0; position < layout; position++)
    if (!tiles[position]) place(position, waiting.shift());
  for (const cameraId of waiting) {
    const priority = alarmed.get(cameraId);
    if (!priority) break;
    const position = leastUrgent(tiles, pinned, alarmed);
    if (position < 0 || urgency(alarmed.get(tiles[position] ?? "")) <= urgency(priority)) break;
    tiles[position] = cameraId;
  }
  return tiles;
}

/** The last of the tiles whose camera is least urgent, pinned ones left out; -1 when all are pinned. */
function leastUrgent(
  tiles: readonly (string | null)[],
  pinned: ReadonlyMap<number, string>,
  alarmed: ReadonlyMap<string, Priority>,
): number {
  let found = -1;
  tiles.forEach((cameraId, position) => {
    if (!cameraId || pinned.get(position) === cameraId) return;
    if (found < 0 || urgency(alarmed.get(cameraId)) >= urgency(alarmed.get(tiles[found] ?? "")))
      found = position;
  });
  return found;
}

/** Puts a camera on a tile by hand. When it stands on another one, the two change places. */
export function assignTile(
  tiles: Tiles,
  pinned: ReadonlyMap<number, string>,
  { position, cameraId }: { readonly position: number; readonly cameraId: string },
): { readonly tiles: Tiles; readonly pinned: ReadonlyMap<number, string> } {
  const next = [...tiles];
  const from = tiles.indexOf(cameraId);
  const displaced = tiles[position] ?? null;
  const pins = new Map(pinned);
  if (from >= 0) {
    next[from] = displaced;
    pins.delete(from);
    if (displaced && pinned.get(position) === displaced) pins.set(from, displaced);
  }
  for (const [pin, pinnedId] of pins) if (pinnedId === cameraId) pins.delete(pin);
  next[position] = cameraId;
  pins.set(position, cameraId);
  return { tiles: next, pinned: pins };
}
