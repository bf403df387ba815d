/** A shape while it is drawn or changed. Pure: points are normalised to the picture. */
import type { Zone, ZoneKind } from "@huishi/contracts";
import { isSelfCrossing, type Point } from "@huishi/kernel";

const MAX_CORNERS = 32;

export interface Draft {
  /** Null while the zone is new. */
  readonly zone: Pick<Zone, "id" | "version"> | null;
  readonly kind: ZoneKind;
  readonly points: readonly Point[];
  readonly isClosed: boolean;
  readonly name: string;
}

export type DraftAction =
  | { readonly type: "add"; readonly point: Point }
  | { readonly type: "removeLast" }
  | { readonly type: "close" }
  | { readonly type: "move"; readonly index: number; readonly point: Point }
  | { readonly type: "removeCorner"; readonly index: number }
  | { readonly type: "insertAfter"; readonly index: number; readonly point: Point }
  | { readonly type: "rename"; readonly name: string }
  | { readonly type: "flip" };

export function newDraft(kind: ZoneKind, name: string): Draft {
  return { zone: null, kind, points: [], isClosed: false, name };
}

export function draftOf(zone: Zone): Draft {
  return { zone, kind: zone.kind, points: zone.points, isClosed: true, name: zone.name };
}

/** Fewest corners that make the shape. */
function minCorners(kind: ZoneKind): number {
  return kind === "line" ? 2 : 3;
}

export function reduceDraft(draft: Draft, action: DraftAction): Draft {
  const { points, kind, isClosed } = draft;
  switch (action.type) {
    case "add": {
      if (isClosed || points.length >= MAX_CORNERS) return draft;
      const added = [...points, clamp(action.point)];
      return { ...draft, points: added, isClosed: kind === "line" && added.length === 2 };
    }
    case "removeLast":
      return isClosed ? draft : { ...draft, points: points.slice(0, -1) };
    case "close":
      return points.length >= minCorners(kind) ? { ...draft, isClosed: true } : draft;
    case "move":
      return {
        ...draft,
        points: points.map((point, index) => (index === action.index ? clamp(action.point) : point)),
      };
    case "removeCorner":
      if (points.length <= minCorners(kind)) return draft;
      return { ...draft, points: points.filter((_, index) => index !== action.index) };
    case "insertAfter":
      if (kind === "line" || points.length >= MAX_CORNERS) return draft;
      return { ...draft, points: points.toSpliced(action.index + 1, 0, clamp(action.point)) };
    case "rename":
      return { ...draft, name: action.name };
    case "flip":
      break;
  }
  return kind === "line" ? { ...draft, points: points.toReversed() } : draft;
}

/** Why the shape cannot be saved yet; the server's own check stays the last word. */
export function draftFault(draft: Draft): "needThree" | "selfCrossing" | null {
  if (draft.points.length < minCorners(draft.kind)) return "needThree";
  return draft.kind === "polygon" && isSelfCrossing(draft.points) ? "selfCrossing" : null;
}

function clamp({ x, y }: Point): Point {
  const inside = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 1e5) / 1e5;
  return { x: inside(x), y: inside(y) };
}
