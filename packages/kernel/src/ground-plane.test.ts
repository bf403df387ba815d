import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  GroundPlane,
  type GroundPair,
  groundPlaneProblem,
  metresBetween,
  metresFrom,
  polygonArea,
  positionAt,
} from "./ground-plane.ts";

const ORIGIN = { latitude: 31.23, longitude: 121.47 };
const at = (x: number, y: number) => positionAt(ORIGIN, { x, y });
const pair = (px: number, py: number, x: number, y: number): GroundPair => ({
  picture: { x: px, y: py },
  position: at(x, y),
});

/** A road of 10 m to the north: 40 m of it, wide in front, narrow behind. */
const ROAD = [pair(0.2, 0.9, 0, 0), pair(0.8, 0.9, 10, 0), pair(0.6, 0.4, 10, 40), pair(0.4, 0.4, 0, 40)];
/** From straight above, north up: a picture of 100 m x 50 m. */
const MAP = [pair(0, 1, 0, 0), pair(1, 1, 100, 0), pair(1, 0, 100, 50), pair(0, 0, 0, 50)];

describe("GroundPlane", () => {
  it("is linear when the camera looks straight down", () => {
    const plane = new GroundPlane(MAP);
    const ground = plane.toGround({ x: 0.25, y: 0.5 });
    expect(ground?.x).toBeCloseTo(25, 6);
    expect(ground?.y).toBeCloseTo(25, 6);
    expect(plane.areaOf(MAP.map(({ picture }) => picture))).toBeCloseTo(5_000, 4);
  });

  it("puts the crossing of the picture's diagonals on the crossing of the ground's", () => {
    // Hand-worked: diagonals (0.2,0.9)-(0.6,0.4) and (0.8,0.9)-(0.4,0.4) meet at x = 0.5, y = 0.525; on the ground at (5, 20).
    const ground = new GroundPlane(ROAD).toGround({ x: 0.5, y: 0.525 });
    expect(ground?.x).toBeCloseTo(5, 6);
    expect(ground?.y).toBeCloseTo(20, 6);
  });

  it("knows no ground at and above the horizon", () => {
    // The road's edges meet at x = 0.5: (0.2,0.9)->(0.4,0.4) goes on to (0.5, 0.15).
    const plane = new GroundPlane(ROAD);
    expect(plane.toGround({ x: 0.5, y: 0.15 })).toBeNull();
    expect(plane.toGround({ x: 0.5, y: 0.05 })).toBeNull();
    expect(plane.areaOf([...ROAD.map(({ picture }) => picture), { x: 0.5, y: 0 }])).toBeNull();
    expect(plane.areaOf(ROAD.map(({ picture }) => picture))).toBeCloseTo(400, 4);
  });

  it("brings every ground point back to where the picture shows it", () => {
    const plane = new GroundPlane(ROAD);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (x, y) => {
          const position = plane.toPosition({ x, y });
          if (position === null) return;
          const back = plane.toPicture(position);
          expect(back.x).toBeCloseTo(x, 6);
          expect(back.y).toBeCloseTo(y, 6);
        },
      ),
    );
  });

  it("hits its four points for any four that it accepts, and keeps straight lines straight", () => {
    const coordinate = fc.double({ min: 0, max: 1, noNaN: true });
    const metres = fc.double({ min: -80, max: 80, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(coordinate, coordinate, metres, metres), { minLength: 4, maxLength: 4 }),
        (given) => {
          const pairs = given.map(([px, py, x, y]) => pair(px, py, x, y));
          if (groundPlaneProblem(pairs) !== null) return;
          const plane = new GroundPlane(pairs);
          for (const { picture, position } of pairs) {
            const found = plane.toPosition(picture);
            expect(found && metresBetween(found, position)).toBeLessThan(0.01);
          }
          const [a, b] = pairs as [GroundPair, GroundPair];
          const middle = { x: (a.picture.x + b.picture.x) / 2, y: (a.picture.y + b.picture.y) / 2 };
          const ground = plane.toGround(middle);
          if (ground === null) return;
          const [p, q] = [metresFrom(a.position, a.position), metresFrom(a.position, b.position)];
          expect(polygonArea([p, q, ground])).toBeLessThan(0.05);
        },
      ),
    );
  });
});

describe("groundPlaneProblem", () => {
  const codeOf = (pairs: readonly GroundPair[]) => groundPlaneProblem(pairs)?.code ?? null;

  it("takes four corners in either direction of turn", () => {
    expect(codeOf(ROAD)).toBeNull();
    expect(codeOf([...ROAD].reverse())).toBeNull();
  });

  it("refuses another number of points", () => {
    expect(codeOf(ROAD.slice(1))).toBe("GROUND_PLANE_POINTS");
  });

  it("refuses three on one line, on either side, and names them", () => {
    const inPicture = [pair(0, 0.5, 0, 0), pair(0.5, 0.5, 10, 0), pair(1, 0.5, 10, 40), pair(0.5, 0, 0, 40)];
    expect(groundPlaneProblem(inPicture)).toEqual({
      code: "GROUND_PLANE_COLLINEAR",
      side: "picture",
      points: [0, 1, 2],
    });
    const onGround = [ROAD[0]!, ROAD[1]!, ROAD[2]!, { ...ROAD[3]!, position: at(5, 0) }];
    expect(groundPlaneProblem(onGround)).toMatchObject({ code: "GROUND_PLANE_COLLINEAR", side: "position" });
  });

  it("refuses the same point twice", () => {
    expect(codeOf([ROAD[0]!, ROAD[0]!, ROAD[2]!, ROAD[3]!])).toBe("GROUND_PLANE_COLLINEAR");
  });

  it("refuses points that go round in different orders", () => {
    const [a, b, c, d] = ROAD as [GroundPair, GroundPair, GroundPair, GroundPair];
    const crossed = [a, b, { ...c, position: d.position }, { ...d, position: c.position }];
    expect(codeOf(crossed)).toBe("GROUND_PLANE_ORDER");
  });

  it("refuses a mirrored ground: left and right were exchanged", () => {
    const mirrored = [
      pair(0.2, 0.9, 10, 0),
      pair(0.8, 0.9, 0, 0),
      pair(0.6, 0.4, 0, 40),
      pair(0.4, 0.4, 10, 40),
    ];
    expect(codeOf(mirrored)).toBe("GROUND_PLANE_MIRRORED");
  });

  it("refuses what no camera can see", () => {
    expect(codeOf([...ROAD.slice(0, 3), pair(0.4, 0.4, 0, 40_000)])).toBe("GROUND_PLANE_TOO_LARGE");
  });
});

describe("metresFrom", () => {
  it("agrees with a known geodesic: one minute of latitude at 45 degrees is 1852.2 m", () => {
    const origin = { latitude: 45, longitude: 0 };
    expect(metresFrom(origin, { latitude: 45 + 1 / 60, longitude: 0 }).y).toBeCloseTo(1852.2, 0);
    // One degree of longitude on the equator: 111 319.49 m.
    expect(metresFrom({ latitude: 0, longitude: 10 }, { latitude: 0, longitude: 11 }).x).toBeCloseTo(
      111_319.49,
      1,
    );
  });

  it("runs over the date line, and back", () => {
    const origin = { latitude: 10, longitude: 179.9999 };
    const ground = metresFrom(origin, { latitude: 10, longitude: -179.9999 });
    expect(ground.x).toBeCloseTo(21.9, 0);
    expect(positionAt(origin, ground).longitude).toBeCloseTo(-179.9999, 6);
  });
});
