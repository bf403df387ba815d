/**
 * Runs the tracker over detections in MOTChallenge form and scores it against ground truth.
 *
 *   npm run eval:tracks -- --det FILE --gt FILE [--every 3] [--fps 25] [--width 640 --height 480] [--out FILE]
 *   npm run eval:tracks -- --data FOLDER      every sequence in it (FOLDER/NAME/{det,gt}.txt) at 1, 3 and 6
 *
 * Frame rate and picture size come from a seqinfo.ini beside the files where there is one; else 10 pictures a
 * second and the extent of the boxes. The scores are HOTA, MOTA and IDF1 in percent over the frames kept.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import {
  countSequence,
  everyNth,
  formatMot,
  type MotRow,
  parseMot,
  type Scores,
  type SequenceCounts,
  scores,
  trackSequence,
} from "../services/analytics/src/eval/index.ts";

const UNKNOWN_FPS = 10;

interface Sequence {
  readonly name: string;
  readonly detections: readonly MotRow[];
  readonly truth: readonly MotRow[];
  readonly fps: number;
  readonly width: number;
  readonly height: number;
}

interface Given {
  readonly fps?: number;
  readonly width?: number;
  readonly height?: number;
}

function readSequence(det: string, gt: string, given: Given): Sequence {
  const detections = parseMot(readFileSync(det, "utf8"), det);
  const truth = parseMot(readFileSync(gt, "utf8"), gt);
  const told = readSequenceInfo(det);
  const extent = (end: (row: MotRow) => number) =>
    detections.reduce((most, row) => Math.max(most, end(row)), 1);
  return {
    name: path.basename(path.dirname(det)),
    detections,
    truth,
    fps: given.fps ?? told.get("frameRate") ?? UNKNOWN_FPS,
    width: given.width ?? told.get("imWidth") ?? extent((row) => row.x + row.w),
    height: given.height ?? told.get("imHeight") ?? extent((row) => row.y + row.h),
  };
}

/** The numbers of the MOTChallenge seqinfo.ini beside the detections or in the folder above. */
function readSequenceInfo(det: string): Map<string, number> {
  const folder = path.dirname(path.resolve(det));
  const file = [folder, path.dirname(folder)]
    .map((one) => path.join(one, "seqinfo.ini"))
    .find((one) => existsSync(one));
  if (file === undefined) return new Map();
  const pairs = readFileSync(file, "utf8").matchAll(/^(\w+)\s*=\s*([\d.]+)\s*$/gm);
  return new Map([...pairs].map(([, name, value]) => [name!, Number(value)]));
}

interface Run {
  readonly result: MotRow[];
  readonly counts: SequenceCounts;
  readonly frames: number;
  readonly microsPerFrame: number;
}

function run(sequence: Sequence, every: number): Run {
  const detections = everyNth(sequence.detections, every);
  const last = [...sequence.detections, ...sequence.truth].reduce(
    (most, row) => Math.max(most, row.frame),
    0,
  );
  const frames = Array.from({ length: Math.ceil(last / every) }, (_, k) => 1 + k * every);
  const startedMs = performance.now();
  const result = trackSequence(detections, frames, sequence);
  const microsPerFrame = ((performance.now() - startedMs) * 1000) / Math.max(1, frames.length);
  return {
    result,
    counts: countSequence(everyNth(sequence.truth, every), result),
    frames: frames.length,
    microsPerFrame,
  };
}

function line(name: string, every: number, result: Scores, runs: readonly Run[]): string {
  const percent = (value: number | null) => (value === null ? "-" : (value * 100).toFixed(1)).padStart(6);
  const frames = runs.reduce((sum, one) => sum + one.frames, 0);
  const micros = runs.reduce((sum, one) => sum + one.frames * one.microsPerFrame, 0) / Math.max(1, frames);
  const cells = [result.hota, result.detA, result.assA, result.mota, result.idf1].map(percent).join("");
  return `${name.padEnd(16)}${String(every).padStart(5)}${cells}${String(result.idSwitches).padStart(6)}${micros.toFixed(0).padStart(10)}`;
}

const { values } = parseArgs({
  options: {
    det: { type: "string" },
    gt: { type: "string" },
    data: { type: "string" },
    every: { type: "string", default: "1" },
    fps: { type: "string" },
    width: { type: "string" },
    height: { type: "string" },
    out: { type: "string" },
  },
});

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

/** A positive number given on the command line. */
function positive(name: "every" | "fps" | "width" | "height"): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0) || (name === "every" && !Number.isInteger(value)))
    fail(`--${name} ${text}: give a number above 0`);
  return value;
}

function main(): void {
  const heading = "sequence        every  HOTA  DetA  AssA  MOTA  IDF1  IDSW  µs/frame";
  if (values.data !== undefined) {
    const { data } = values;
    const folders = readdirSync(data).filter((name) => existsSync(path.join(data, name, "det.txt")));
    const sequences = folders.map((name) =>
      readSequence(path.join(data, name, "det.txt"), path.join(data, name, "gt.txt"), {}),
    );
    console.log(heading);
    for (const every of [1, 3, 6]) {
      const runs = sequences.map((sequence) => run(sequence, every));
      runs.forEach((one, i) => console.log(line(sequences[i]!.name, every, scores([one.counts]), [one])));
      console.log(line("combined", every, scores(runs.map((one) => one.counts)), runs));
    }
    return;
  }
  const { det, gt, out } = values;
  if (det === undefined || gt === undefined)
    fail("Give --det FILE and --gt FILE (MOTChallenge text), or --data FOLDER.");
  const [fps, width, height] = [positive("fps"), positive("width"), positive("height")];
  const given: Given = {
    ...(fps === undefined ? {} : { fps }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
  };
  const sequence = readSequence(det, gt, given);
  const every = positive("every") ?? 1;
  const one = run(sequence, every);
  if (out !== undefined) writeFileSync(out, formatMot(one.result));
  console.log(`${heading}\n${line(sequence.name, every, scores([one.counts]), [one])}`);
}

try {
  main();
} catch (thrown) {
  fail(thrown instanceof Error ? thrown.message : String(thrown));
}
