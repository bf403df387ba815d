/**
 * A drawn street for a demo without footage: people walk on the pavement and cross, vehicles drive in two
 * lanes. Everything repeats after SCENE_PERIOD_MS, so a recording of one period loops without a jump. Pure.
 */
import { Canvas, type Colour, rgb } from "./canvas.ts";

export const SCENE_PERIOD_MS = 48_000;

const SKY = rgb(150, 175, 205);
const HOUSES = [
  rgb(158, 122, 98),
  rgb(124, 130, 138),
  rgb(176, 160, 130),
  rgb(112, 96, 92),
  rgb(146, 138, 150),
];
const WINDOW = rgb(62, 74, 92);
const PAVEMENT = rgb(168, 164, 158);
const KERB = rgb(205, 203, 198);
const ROAD = rgb(72, 74, 78);
const MARKING = rgb(228, 228, 224);
const GLASS = rgb(40, 52, 66);
const TYRE = rgb(22, 22, 24);
const SKIN = rgb(205, 160, 130);
const HAIR = rgb(45, 34, 28);
const LAMP = rgb(250, 236, 170);

/** Positions as parts of the picture's height. */
const LINE = { houses: 0.34, farPavement: 0.42, road: 0.47, middle: 0.64, nearPavement: 0.84 } as const;

export function drawStreet(width: number, height: number): Canvas {
  const canvas = new Canvas(width, height);
  canvas.rectangle(0, 0, width, height * LINE.houses, SKY);
  HOUSES.forEach((colour, index) => drawHouse(canvas, index, colour));
  canvas.rectangle(0, height * LINE.houses, width, height * (LINE.road - LINE.houses), PAVEMENT);
  canvas.rectangle(0, height * (LINE.road - 0.012), width, height * 0.012, KERB);
  canvas.rectangle(0, height * LINE.road, width, height * (LINE.nearPavement - LINE.road), ROAD);
  for (let x = 0; x < width; x += width / 12)
    canvas.rectangle(x, height * LINE.middle, width / 24, Math.max(2, height * 0.008), MARKING);
  for (let stripe = 0; stripe < 6; stripe++) {
    const x = width * (0.4 + stripe * 0.03);
    canvas.trapezium(
      height * LINE.road,
      height * LINE.nearPavement,
      [x, x + width * 0.014],
      [x - width * 0.02, x + width * 0.002],
      MARKING,
    );
  }
  canvas.rectangle(0, height * LINE.nearPavement, width, height * 0.015, KERB);
  canvas.rectangle(0, height * (LINE.nearPavement + 0.015), width, height, PAVEMENT);
  return canvas;
}

function drawHouse(canvas: Canvas, index: number, colour: Colour): void {
  const { width, height } = canvas;
  const left = (index * width) / HOUSES.length;
  const top = height * (0.05 + 0.05 * ((index * 2) % 3));
  canvas.rectangle(left, top, width / HOUSES.length - 2, height * LINE.houses - top, colour);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 3; row++) {
      const x = left + width * (0.018 + column * 0.045);
      canvas.rectangle(x, top + height * (0.03 + row * 0.075), width * 0.022, height * 0.04, WINDOW);
    }
  }
}

interface Walker {
  readonly feetAt: number;
  readonly bodyHeight: number;
  readonly coat: Colour;
  readonly trousers: Colour;
  /** Crossings of the picture a period; negative walks left. */
  readonly crossings: number;
  readonly start: number;
}

interface Vehicle {
  readonly wheelsAt: number;
  readonly length: number;
  readonly height: number;
  readonly paint: Colour;
  readonly crossings: number;
  readonly start: number;
  readonly isVan: boolean;
}

const WALKERS: readonly Walker[] = [
  {
    feetAt: 0.455,
    bodyHeight: 0.16,
    coat: rgb(150, 40, 44),
    trousers: rgb(40, 44, 60),
    crossings: 1,
    start: 0.1,
  },
  {
    feetAt: 0.445,
    bodyHeight: 0.15,
    coat: rgb(60, 90, 60),
    trousers: rgb(30, 30, 34),
    crossings: -1,
    start: 0.8,
  },
  {
    feetAt: 0.97,
    bodyHeight: 0.34,
    coat: rgb(44, 70, 130),
    trousers: rgb(56, 50, 46),
    crossings: 2,
    start: 0.0,
  },
  {
    feetAt: 0.94,
    bodyHeight: 0.32,
    coat: rgb(190, 170, 60),
    trousers: rgb(34, 38, 48),
    crossings: -2,
    start: 0.6,
  },
];

const VEHICLES: readonly Vehicle[] = [
  {
    wheelsAt: 0.61,
    length: 0.2,
    height: 0.13,
    paint: rgb(180, 30, 36),
    crossings: -4,
    start: 0.3,
    isVan: false,
  },
  {
    wheelsAt: 0.61,
    length: 0.24,
    height: 0.2,
    paint: rgb(226, 226, 222),
    crossings: -4,
    start: 0.85,
    isVan: true,
  },
  {
    wheelsAt: 0.8,
    length: 0.26,
    height: 0.17,
    paint: rgb(36, 70, 140),
    crossings: 5,
    start: 0.05,
    isVan: false,
  },
  {
    wheelsAt: 0.8,
    length: 0.25,
    height: 0.16,
    paint: rgb(52, 54, 58),
    crossings: 5,
    start: 0.6,
    isVan: false,
  },
];

/** Where a mover is across the picture, as a part of its width, a quarter beyond either side. */
function across(start: number, crossings: number, phase: number): number {
  const turns = start + crossings * phase;
  return (turns - Math.floor(turns)) * 1.5 - 0.25;
}

function drawVehicle(canvas: Canvas, vehicle: Vehicle, phase: number): void {
  const { width, height } = canvas;
  const length = vehicle.length * width;
  const tall = vehicle.height * height;
  const left = across(vehicle.start, vehicle.crossings, phase) * width - length / 2;
  const ground = vehicle.wheelsAt * height;
  const belt = ground - tall * (vehicle.isVan ? 0.62 : 0.55);
  const right = left + length;
  const cabin = vehicle.isVan ? ([0.04, 0.92] as const) : ([0.24, 0.78] as const);
  canvas.trapezium(
    ground - tall,
    belt,
    [left + length * cabin[0], left + length * cabin[1]],
    [left + length * (cabin[0] - 0.04), left + length * (cabin[1] + 0.06)],
    vehicle.paint,
  );
  canvas.trapezium(
    ground - tall * 0.92,
    belt,
    [left + length * (cabin[0] + 0.05), left + length * 0.48],
    [left + length * (cabin[0] + 0.02), left + length * 0.48],
    GLASS,
  );
  canvas.trapezium(
    ground - tall * 0.92,
    belt,
    [left + length * 0.52, left + length * (cabin[1] - 0.05)],
    [left + length * 0.52, left + length * (cabin[1] + 0.02)],
    GLASS,
  );
  canvas.rectangle(left, belt, length, ground - tall * 0.12 - belt, vehicle.paint);
  const front = vehicle.crossings > 0 ? right - length * 0.04 : left;
  canvas.rectangle(front, belt + tall * 0.1, length * 0.04, tall * 0.1, LAMP);
  for (const wheel of [left + length * 0.2, right - length * 0.2]) {
    canvas.ellipse(wheel, ground - tall * 0.14, tall * 0.18, tall * 0.18, TYRE);
    canvas.ellipse(wheel, ground - tall * 0.14, tall * 0.08, tall * 0.08, MARKING);
  }
}

function drawWalker(canvas: Canvas, walker: Walker, phase: number): void {
  const { width, height } = canvas;
  const tall = walker.bodyHeight * height;
  const x = across(walker.start, walker.crossings, phase) * width;
  const feet = walker.feetAt * height;
  const stride = Math.sin(phase * 2 * Math.PI * 48) * tall * 0.13;
  const hip = feet - tall * 0.47;
  const shoulder = feet - tall * 0.83;
  for (const swing of [stride, -stride]) {
    canvas.trapezium(
      hip,
      feet,
      [x - tall * 0.06, x + tall * 0.06],
      [x + swing - tall * 0.04, x + swing + tall * 0.05],
      walker.trousers,
    );
    canvas.trapezium(
      shoulder,
      hip,
      [x - tall * 0.04, x + tall * 0.04],
      [x - swing * 0.9 - tall * 0.03, x - swing * 0.9 + tall * 0.03],
      walker.coat,
    );
  }
  canvas.trapezium(
    shoulder,
    hip,
    [x - tall * 0.12, x + tall * 0.12],
    [x - tall * 0.1, x + tall * 0.1],
    walker.coat,
  );
  canvas.ellipse(x, feet - tall * 0.91, tall * 0.065, tall * 0.085, SKIN);
  canvas.ellipse(x, feet - tall * 0.955, tall * 0.07, tall * 0.05, HAIR);
}

/** Draws the street as it is at `timeMs` (any value; the scene repeats). */
export function drawStreetScene(canvas: Canvas, street: Canvas, timeMs: number): void {
  canvas.copyFrom(street);
  const phase = (timeMs % SCENE_PERIOD_MS) / SCENE_PERIOD_MS;
  const movers = [
    ...WALKERS.map((walker) => ({ depth: walker.feetAt, draw: () => drawWalker(canvas, walker, phase) })),
    ...VEHICLES.map((vehicle) => ({
      depth: vehicle.wheelsAt,
      draw: () => drawVehicle(canvas, vehicle, phase),
    })),
  ];
  for (const mover of movers.sort((a, b) => a.depth - b.depth)) mover.draw();
}
