/** Draws zones, directed lines and boxes over a picture. Imperative canvas work, called once a presented frame. */
import type { Zone } from "@huishi/contracts";
import type { Point } from "@huishi/kernel";
import { type Rect, toElement } from "./letterbox.ts";
import { lineArrow } from "./line-geometry.ts";
import type { ShownTrack } from "./scene-timeline.ts";

export interface OverlayStyle {
  readonly box: string;
  readonly boxEdge: string;
  readonly zone: string;
  readonly zoneFill: string;
  readonly text: string;
  readonly font: string;
}

export interface OverlayZone {
  readonly zone: Pick<Zone, "kind" | "points" | "name">;
  /** Set while an alarm of this zone is open; colour means that something is wrong. */
  readonly alarmColour: string | null;
  /** Counted crossings, already in words. */
  readonly counts: { readonly leftToRight: string; readonly rightToLeft: string } | null;
}

export interface OverlayScene {
  readonly rect: Rect;
  readonly zones: readonly OverlayZone[];
  readonly tracks: readonly ShownTrack[];
  readonly style: OverlayStyle;
  readonly labelOf: (track: ShownTrack) => string;
}

/** Below this height a box has no room for its word. */
const LABELLED_BOX_PX = 26;
const LABEL_PX = 16;

/** Clears the canvas and draws the whole scene. The context is already scaled to CSS pixels. */
export function drawOverlay(context: CanvasRenderingContext2D, scene: OverlayScene): void {
  const { width, height } = context.canvas;
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.restore();
  context.font = scene.style.font;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const zone of scene.zones) drawZone(context, scene, zone);
  for (const track of scene.tracks) {
    context.globalAlpha = track.isFaint ? 0.4 : 1;
    drawBox(context, scene, track);
  }
  context.globalAlpha = 1;
}

function drawZone(
  context: CanvasRenderingContext2D,
  { rect, style }: OverlayScene,
  overlay: OverlayZone,
): void {
  const points = overlay.zone.points.map((point) => toElement(point, rect));
  const colour = overlay.alarmColour ?? style.zone;
  const [first, second] = points;
  if (!first || !second) return;
  trace(context, points, overlay.zone.kind === "polygon");
  if (overlay.zone.kind === "polygon") {
    context.fillStyle = style.zoneFill;
    context.fill();
  }
  strokeTwice(context, style.boxEdge, colour, overlay.alarmColour ? 2.5 : 2);
  if (overlay.zone.kind === "line") drawDirection(context, { a: first, b: second, colour, style, overlay });
  const at = overlay.zone.kind === "line" ? first : topOf(points);
  label(context, style, overlay.zone.name, { x: at.x + 4, y: at.y - 10 }, rect);
}

/** A and B at the ends, an arrow from left to right across the middle, and what was counted on its two sides. */
function drawDirection(
  context: CanvasRenderingContext2D,
  line: { a: Point; b: Point; colour: string; style: OverlayStyle; overlay: OverlayZone },
): void {
  const arrow = lineArrow(line.a, line.b);
  if (!arrow) return;
  const { middle, right, along } = arrow;
  const along2 = (point: Point, forward: number, side: number): Point => ({
    x: point.x + along.x * forward + right.x * side,
    y: point.y + along.y * forward + right.y * side,
  });
  const tip = along2(middle, 0, 14);
  trace(context, [along2(middle, 0, -10), tip], false);
  strokeTwice(context, line.style.boxEdge, line.colour, 1.5);
  trace(context, [along2(tip, -5, -6), tip, along2(tip, 5, -6)], false);
  strokeTwice(context, line.style.boxEdge, line.colour, 1.5);
  for (const end of [line.a, line.b]) {
    context.beginPath();
    context.arc(end.x, end.y, 3, 0, 2 * Math.PI);
    context.fillStyle = line.colour;
    context.fill();
  }
  const { counts } = line.overlay;
  if (!counts) return;
  const rect = { left: 0, top: 0, width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };
  const write = (text: string, side: number): void => {
    const at = along2(middle, 0, side);
    label(context, line.style, text, { x: at.x - context.measureText(text).width / 2, y: at.y }, rect);
  };
  write(counts.leftToRight, 30);
  write(counts.rightToLeft, -26);
}

function drawBox(context: CanvasRenderingContext2D, scene: OverlayScene, track: ShownTrack): void {
  const { rect, style } = scene;
  const topLeft = toElement(track.box, rect);
  const size = { width: track.box.w * rect.width, height: track.box.h * rect.height };
  context.beginPath();
  context.rect(topLeft.x, topLeft.y, size.width, size.height);
  strokeTwice(context, style.boxEdge, style.box, 1.5);
  if (size.height < LABELLED_BOX_PX) return;
  label(context, style, scene.labelOf(track), { x: topLeft.x, y: topLeft.y - LABEL_PX / 2 - 1 }, rect);
}

/** A dark line under a light one: seen on snow and at night alike. */
function strokeTwice(context: CanvasRenderingContext2D, edge: string, colour: string, width: number): void {
  context.strokeStyle = edge;
  context.lineWidth = width + 2;
  context.stroke();
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

function label(
  context: CanvasRenderingContext2D,
  style: OverlayStyle,
  text: string,
  at: Point,
  rect: Rect,
): void {
  const width = context.measureText(text).width + 8;
  const x = Math.max(rect.left, Math.min(at.x, rect.left + rect.width - width));
  const y = Math.max(rect.top + LABEL_PX / 2, at.y);
  context.fillStyle = style.boxEdge;
  context.fillRect(x, y - LABEL_PX / 2, width, LABEL_PX);
  context.fillStyle = style.text;
  context.fillText(text, x + 4, y + 0.5);
}

function trace(context: CanvasRenderingContext2D, points: readonly Point[], isClosed: boolean): void {
  context.beginPath();
  points.forEach((point, index) =>
    index === 0 ? context.moveTo(point.x, point.y) : context.lineTo(point.x, point.y),
  );
  if (isClosed) context.closePath();
}

function topOf(points: readonly Point[]): Point {
  return points.reduce((top, point) => (point.y < top.y ? point : top));
}
