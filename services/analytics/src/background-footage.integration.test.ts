/** The background model on real footage, with what people's tracks are known to be: only a thing that was put in counts. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BackgroundModel, type StaticRegion } from "./domain/index.ts";
import { trackAt } from "./domain/test-support/rules.ts";
import { parseMot } from "./eval/mot-format.ts";
import { findFootage, findGroundTruth } from "./test-support/footage.ts";

const [WIDTH, HEIGHT] = [384, 288];
const WHOLE = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
];
const vtest = findFootage("vtest.avi");
const groundTruth = findGroundTruth("PETS09-S2L1");
/** Five frames a second of footage that has ten. */
const STEP = 2;
const CHANGE_FRAME = 300;

function decode(file: string): Uint8Array[] {
  const run = spawnSync(
    "ffmpeg",
    ["-v", "error", "-i", file, "-vf", `scale=${WIDTH}:${HEIGHT}`, "-pix_fmt", "gray", "-f", "rawvideo", "-"],
    { maxBuffer: 200 * 1024 * 1024 },
  );
  const size = WIDTH * HEIGHT;
  return Array.from({ length: run.stdout.length / size }, (_, k) =>
    Uint8Array.from(run.stdout.subarray(k * size, (k + 1) * size)),
  );
}

/** A dark case of 12 x 16 pixels on the pavement. */
function putCase(luma: Uint8Array): void {
  for (let y = 200; y < 216; y++) luma.fill(25, y * WIDTH + 220, y * WIDTH + 232);
}

function regionsOf(file: string, truth: string, hasCase: (frame: number) => boolean): StaticRegion[] {
  const model = new BackgroundModel({
    width: WIDTH,
    height: HEIGHT,
    watch: { polygons: [WHOLE], absorbMs: 3_600_000 },
  });
  const known = parseMot(readFileSync(truth, "utf8"));
  const found: StaticRegion[] = [];
  decode(file).forEach((luma, frame) => {
    if (frame % STEP !== 0) return;
    if (hasCase(frame)) putCase(luma);
    const people = known.filter((one) => one.frame === frame + 1);
    const tracks = people.map(({ id, x, y, w, h }) => {
      const box = { x: x / 768, y: y / 576, w: w / 768, h: h / 576 };
      return trackAt(id, 0, 0, { box });
    });
    found.push(...model.update(luma, 1_700_000_000_000 + frame * 100, tracks));
  });
  return found;
}

describe.skipIf(vtest === null || groundTruth === null)("the background model on a busy crossing", () => {
  const play = (hasCase: (frame: number) => boolean) =>
    regionsOf(vtest as string, groundTruth as string, hasCase);

  it("reports nothing where nothing is put down or taken away", () => {
    expect(play(() => false)).toEqual([]);
  });

  it("reports a case that is put down, as one region, although people pass before it", () => {
    const found = play((frame) => frame > CHANGE_FRAME);
    expect(new Set(found.map(({ id, kind }) => `${id} ${kind}`))).toEqual(new Set(["1 appeared"]));
    expect(found[0]?.box.x).toBeCloseTo(220 / WIDTH, 1);
    expect(found.at(-1)?.score).toBeGreaterThan(0.4);
  });

  it("reports a case that is taken away", () => {
    const found = play((frame) => frame < CHANGE_FRAME);
    expect(new Set(found.map(({ id, kind }) => `${id} ${kind}`))).toEqual(new Set(["1 vanished"]));
  });
});
