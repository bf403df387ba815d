/** Plane geometry on picture coordinates. Points are normalised: x and y in 0..1 of the picture, origin top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An axis-aligned box, normalised; (x, y) is its top left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** The middle of the lower edge: where a standing person or a vehicle touches the ground. */
export function footPoint(box: Box): Point {
  return { x: box.x + box.w / 2, y: box.y + box.h };
}

/** Intersection over union of two boxes, 0..1. */
export function iou(a: Box, b: Box): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  const intersection = w * h;
  return intersection / (a.w * a.h + b.w * b.h - intersection);
}

/** Even-odd test (Shimrat 1962): is the point inside the polygon? Self-crossing polygons have well-defined holes. */
export function isInsidePolygon(point: Point, polygon: readonly Point[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const a = polygon[i] as Point;
    const b = polygon[j] as Point;
    if (a.y > point.y !== b.y > point.y && point.x < ((b.x - a.x) * (point.y - a.y)) / (b.y - a.y) + a.x) {
      inside = !inside;
    }
  }
  return inside;
}

/** Twice the signed area of the triangle (a, b, c): positive when c lies to the right of a->b (y grows downwards). */
export function cross(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/** Do the segments p1-p2 and q1-q2 cross in their interiors? Touching ends and parallel segments do not count. */
export function segmentsCross(p1: Point, p2: Point, q1: Point, q2: Point): boolean {
  const d1 = cross(q1, q2, p1);
  const d2 = cross(q1, q2, p2);
  const d3 = cross(p1, p2, q1);
  const d4 = cross(p1, p2, q2);
  return d1 > 0 !== d2 > 0 && d1 !== 0 && d2 !== 0 && d3 > 0 !== d4 > 0 && d3 !== 0 && d4 !== 0;
}

/** Does any edge of the polygon cross another one? */
export function isSelfCrossing(polygon: readonly Point[]): boolean {
  const n = polygon.length;
  for (let i = 0; i < n; i++) {
    for (let j = i + 2; j < n; j++) {
      if (i === 0 && j === n - 1) continue;
      const a = polygon[i] as Point;
      const b = polygon[(i + 1) % n] as Point;
      const c = polygon[j] as Point;
      const d = polygon[(j + 1) % n] as Point;
      if (segmentsCross(a, b, c, d)) return true;
    }
  }
  return false;
}
