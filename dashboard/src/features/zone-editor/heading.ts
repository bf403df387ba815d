/** Directions in the picture: 0 up, 90 right, 180 down, 270 left; y grows downwards. */
import type { Point } from "@huishi/kernel";

/** A whole number of degrees, 0..359. */
export function wholeDegrees(degrees: number): number {
  return ((Math.round(degrees) % 360) + 360) % 360;
}

/** From one pixel to another; null when they are the same. */
export function headingOf(from: Point, to: Point): number | null {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (Math.hypot(dx, dy) < 1) return null;
  return wholeDegrees((Math.atan2(dx, -dy) * 180) / Math.PI);
}

/** The pixel that lies `length` from `from` in the direction. */
export function ahead(from: Point, degrees: number, length: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return { x: from.x + Math.sin(angle) * length, y: from.y - Math.cos(angle) * length };
}

/** By how much an arrow key turns; null for other keys. */
export function turnOf(key: string, isLarge: boolean): number | null {
  const step = isLarge ? 15 : 1;
  if (key === "ArrowRight" || key === "ArrowUp") return step;
  if (key === "ArrowLeft" || key === "ArrowDown") return -step;
  return null;
}

/** The middle of a polygon's corners. */
export function middleOf(points: readonly Point[]): Point {
  const n = Math.max(1, points.length);
  return {
    x: points.reduce((sum, { x }) => sum + x, 0) / n,
    y: points.reduce((sum, { y }) => sum + y, 0) / n,
  };
}
