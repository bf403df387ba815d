/**
 * From the picture to the ground: a plane homography by four points (Hartley and Zisserman 2004, "Multiple View
 * Geometry", §4.1, direct linear transform), in a local tangent plane in metres (x east, y north).
 */
import { cross, type Point } from "./geometry.ts";

/** WGS84, degrees. */
export interface GeoPosition {
  readonly latitude: number;
  readonly longitude: number;
}

/** One point of the ground: where the picture shows it, and where it is. */
export interface GroundPair {
  readonly picture: Point;
  readonly position: GeoPosition;
}

/** Metres in the local tangent plane: x to the east, y to the north. */
export interface GroundPoint {
  readonly x: number;
  readonly y: number;
}

export type GroundPlaneProblem =
  | { readonly code: "GROUND_PLANE_POINTS"; readonly given: number }
  /** Three points lie almost on one line, or two are almost one. */
  | {
      readonly code: "GROUND_PLANE_COLLINEAR";
      readonly side: "picture" | "position";
      readonly points: readonly number[];
    }
  /** The points do not go round in the same order on both sides, or not around a convex shape. */
  | { readonly code: "GROUND_PLANE_ORDER" }
  /** The picture would show the ground as a mirror does: two points are exchanged. */
  | { readonly code: "GROUND_PLANE_MIRRORED" }
  | { readonly code: "GROUND_PLANE_TOO_LARGE"; readonly metres: number };

/** WGS84: semi-major axis in metres and first eccentricity squared. */
const SEMI_MAJOR_M = 6_378_137;
const ECCENTRICITY_2 = 0.006_694_379_990_14;
const RADIANS = Math.PI / 180;
/** A triangle flatter than this (its area against its longest side squared) is taken for a line. */
const FLAT = 0.004;
/** No camera sees the ground sharply over more. The tangent plane is exact to centimetres there. */
const LARGEST_M = 2_000;
/** Nearer to the horizon than this share of the reference points' depth, nothing is told. */
const NEAR_HORIZON = 0.02;

type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** Metres of one degree at a latitude: the radii of curvature of the ellipsoid. */
function degreeLengths(latitude: number): { readonly north: number; readonly east: number } {
  const sine = Math.sin(latitude * RADIANS);
  const shrink = 1 - ECCENTRICITY_2 * sine * sine;
  return {
    north: (RADIANS * SEMI_MAJOR_M * (1 - ECCENTRICITY_2)) / shrink ** 1.5,
    east: (RADIANS * SEMI_MAJOR_M * Math.cos(latitude * RADIANS)) / Math.sqrt(shrink),
  };
}

/** Metres east and north of the origin. Exact to centimetres within a few kilometres. */
export function metresFrom(origin: GeoPosition, position: GeoPosition): GroundPoint {
  const { north, east } = degreeLengths(origin.latitude);
  const turned = ((position.longitude - origin.longitude + 540) % 360) - 180;
  return { x: turned * east, y: (position.latitude - origin.latitude) * north };
}

/** The position so many metres east and north of the origin. */
export function positionAt(origin: GeoPosition, { x, y }: GroundPoint): GeoPosition {
  const { north, east } = degreeLengths(origin.latitude);
  const longitude = ((origin.longitude + x / east + 540) % 360) - 180;
  return { latitude: origin.latitude + y / north, longitude };
}

/** The ground as one camera's picture shows it. */
export class GroundPlane {
  private readonly origin: GeoPosition;
  private readonly forth: Matrix;
  private readonly back: Matrix;
  /** Depth (third homogeneous coordinate) of the reference points: its sign is that of everything before the horizon. */
  private readonly depth: number;

  /** @param pairs what `groundPlaneProblem` finds no fault with. @throws RangeError */
  constructor(pairs: readonly GroundPair[]) {
    const problem = groundPlaneProblem(pairs);
    if (problem !== null) throw new RangeError(`these four points make no ground plane: ${problem.code}`);
    this.origin = pairs[0]!.position;
    const grounds = pairs.map(({ position }) => metresFrom(this.origin, position));
    this.forth = homography(
      pairs.map(({ picture }) => picture),
      grounds,
    );
    this.back = inverse(this.forth);
    const depths = pairs.map(({ picture }) => depthAt(this.forth, picture));
    this.depth = depths.reduce((least, one) => (Math.abs(one) < Math.abs(least) ? one : least));
  }

  /** Where on the ground the picture point is; null at and above the horizon, or further off than 2 km. */
  toGround(picture: Point): GroundPoint | null {
    const depth = depthAt(this.forth, picture) / this.depth;
    if (depth < NEAR_HORIZON) return null;
    const ground = apply(this.forth, picture);
    return Math.abs(ground.x) > LARGEST_M || Math.abs(ground.y) > LARGEST_M ? null : ground;
  }

  /** WGS84 position of the picture point; null where there is no ground. */
  toPosition(picture: Point): GeoPosition | null {
    const ground = this.toGround(picture);
    return ground === null ? null : positionAt(this.origin, ground);
  }

  /** Where the picture shows the position; it may lie outside of the picture. */
  toPicture(position: GeoPosition): Point {
    return apply(this.back, metresFrom(this.origin, position));
  }

  /** Area in square metres of a polygon in the picture; null when it reaches over the horizon. */
  areaOf(polygon: readonly Point[]): number | null {
    const corners: GroundPoint[] = [];
    for (const corner of polygon) {
      const ground = this.toGround(corner);
      if (ground === null) return null;
      corners.push(ground);
    }
    return polygonArea(corners);
  }
}

/** What is wrong with four points; null when they make a ground plane. */
export function groundPlaneProblem(pairs: readonly GroundPair[]): GroundPlaneProblem | null {
  const first = pairs[0];
  if (first === undefined || pairs.length !== 4) return { code: "GROUND_PLANE_POINTS", given: pairs.length };
  const pictures = pairs.map(({ picture }) => picture);
  const grounds = pairs.map(({ position }) => metresFrom(first.position, position));
  const metres = Math.max(...grounds.map(({ x, y }) => Math.hypot(x, y)));
  if (metres > LARGEST_M) return { code: "GROUND_PLANE_TOO_LARGE", metres: Math.round(metres) };
  const flat = flatTriple(pictures);
  if (flat !== null) return { code: "GROUND_PLANE_COLLINEAR", side: "picture", points: flat };
  const flatGround = flatTriple(grounds);
  if (flatGround !== null) return { code: "GROUND_PLANE_COLLINEAR", side: "position", points: flatGround };
  const turns = turnsOf(pictures);
  const groundTurns = turnsOf(grounds);
  if (!turns.every((turn) => turn === turns[0]) || !groundTurns.every((turn) => turn === groundTurns[0])) {
    return { code: "GROUND_PLANE_ORDER" };
  }
  // The picture's y runs down and the ground's north: seen from above, both turns have opposite signs.
  return turns[0] === groundTurns[0] ? { code: "GROUND_PLANE_MIRRORED" } : null;
}

/** Area by the shoelace formula, in the unit of the points squared. */
export function polygonArea(points: readonly Point[]): number {
  let doubled = 0;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    doubled += points[j]!.x * points[i]!.y - points[i]!.x * points[j]!.y;
  }
  return Math.abs(doubled) / 2;
}

/** Metres between two positions that are near to one another. */
export function metresBetween(a: GeoPosition, b: GeoPosition): number {
  const { x, y } = metresFrom(a, b);
  return Math.hypot(x, y);
}

const TRIPLES = [
  [0, 1, 2],
  [0, 1, 3],
  [0, 2, 3],
  [1, 2, 3],
] as const;

/** Numbers of three points that lie almost on one line, or null. */
function flatTriple(points: readonly Point[]): number[] | null {
  for (const triple of TRIPLES) {
    const [a, b, c] = triple.map((index) => points[index]!) as [Point, Point, Point];
    const longest = Math.max(distance2(a, b), distance2(b, c), distance2(c, a));
    if (Math.abs(cross(a, b, c)) / 2 <= FLAT * longest) return [...triple];
  }
  return null;
}

/** Which way the quadrilateral turns at each of its corners; all alike: it is convex and does not cross itself. */
function turnsOf(points: readonly Point[]): number[] {
  return points.map((corner, i) => Math.sign(cross(corner, points[(i + 1) % 4]!, points[(i + 2) % 4]!)));
}

function distance2(a: Point, b: Point): number {
  return (a.x - b.x) ** 2 + (a.y - b.y) ** 2;
}

function depthAt(m: Matrix, { x, y }: Point): number {
  return m[6] * x + m[7] * y + m[8];
}

function apply(m: Matrix, point: Point): Point {
  const { x, y } = point;
  const depth = depthAt(m, point);
  return { x: (m[0] * x + m[1] * y + m[2]) / depth, y: (m[3] * x + m[4] * y + m[5]) / depth };
}

/**
 * The map that takes four points to four others. Both sides are shifted and scaled to about 1 first (Hartley 1997,
 * "In Defense of the Eight-Point Algorithm"), so that metres and fractions of a picture do not spoil the digits.
 */
function homography(from: readonly Point[], to: readonly Point[]): Matrix {
  const a = normaliser(from);
  const b = normaliser(to);
  const rows: number[][] = [];
  from.forEach((point, i) => {
    const { x, y } = apply(a, point);
    const { x: u, y: v } = apply(b, to[i]!);
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  });
  const h = solve(rows);
  return multiply(inverse(b), multiply([...h, 1] as unknown as Matrix, a));
}

function normaliser(points: readonly Point[]): Matrix {
  const x = points.reduce((sum, point) => sum + point.x, 0) / points.length;
  const y = points.reduce((sum, point) => sum + point.y, 0) / points.length;
  const spread = points.reduce((sum, point) => sum + Math.hypot(point.x - x, point.y - y), 0) / points.length;
  const scale = spread === 0 ? 1 : 1 / spread;
  return [scale, 0, -scale * x, 0, scale, -scale * y, 0, 0, 1];
}

/** Gauss's elimination with row pivots; each row is the equation's coefficients and its right side. */
function solve(rows: number[][]): number[] {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const lead = rows[column]!;
    for (let row = 0; row < n; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / lead[column]!;
      for (let k = column; k <= n; k++) rows[row]![k]! -= factor * lead[k]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}

function multiply(a: Matrix, b: Matrix): Matrix {
  return Array.from({ length: 9 }, (_, k) => {
    const row = 3 * Math.floor(k / 3);
    const column = k % 3;
    return a[row]! * b[column]! + a[row + 1]! * b[column + 3]! + a[row + 2]! * b[column + 6]!;
  }) as unknown as Matrix;
}

/** The adjugate: an inverse up to a factor, which a homography does not mind. */
function inverse([a, b, c, d, e, f, g, h, i]: Matrix): Matrix {
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}
