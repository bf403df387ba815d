/**
 * Runs the tracker over detections in MOTChallenge form; scores the tracks where there is ground truth.
 *
 *   npm run eval:tracks -- --det FILE --out FILE [--fps 25] [--width 640 --height 480] [--every 3]
 *   npm run eval:tracks -- --det FILE --gt FILE [...]     with HOTA, MOTA and IDF1 in percent
 *   npm run eval:tracks -- --data FOLDER                  every sequence in it (FOLDER/NAME/{det,gt}.txt) at 1, 3 and 6
 *
 * Frames are numbered from 1, boxes are in pixels of the source. `--every 3` uses frames 1, 4, 7, ... alone; a file
 * that holds only those needs no telling. Frame rate and picture size come from a seqinfo.ini beside the files where
 * there is one; else 10 pictures a second and the extent of the boxes. What the tracker showed live is the result:
 * nothing is filled in afterwards. Times are processor time (compiling included), so that a busy machine tells the same.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import {
  countSequence,
  everyNth,
  framesOf,
  type MotRow,
  type Scores,
  type SequenceCounts,
  scores,
  trackSequence,
} from "../services/analytics/src/eval/index.ts";
import { percent, positive, readMot, readText, runTool, usage, writeMot } from "./support/evaluation.ts";

const UNKNOWN_FPS = 10;

interface Sequence {
  readonly name: string;
  readonly detections: readonly MotRow[];
  readonly truth: readonly MotRow[] | null;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
}

interface Given {
  readonly fps?: number | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

function readSequence(det: string, gt: string | undefined, given: Given = {}): Sequence {
  const detections = readMot(det);
  const told = readSequenceInfo(det);
  const extent = (end: (row: MotRow) => number) =>
    detections.reduce((most, row) => Math.max(most, end(row)), 1);
  return {
    name: path.basename(path.dirname(path.resolve(det))),
    detections,
    truth: gt === undefined ? null : readMot(gt),
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
  const pairs = readText(file).matchAll(/^(\w+)\s*=\s*([\d.]+)\s*$/gm);
  return new Map([...pairs].map(([, name, value]) => [name!, Number(value)]));
}

interface Run {
  readonly result: MotRow[];
  readonly counts: SequenceCounts | null;
  readonly frames: number;
  readonly ms: number;
}

function run(sequence: Sequence, every: number): Run {
  const detections = everyNth(sequence.detections, every);
  const frames = every === 1 ? framesOf(detections) : sampledFrames(sequence, every);
  const before = process.cpuUsage();
  const result = trackSequence(detections, frames, sequence);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  const truth = sequence.truth && everyNth(sequence.truth, every);
  return { result, counts: truth && countSequence(truth, result), frames: frames.length, ms };
}

function sampledFrames({ detections }: Sequence, every: number): number[] {
  const last = detections.reduce((most, row) => Math.max(most, row.frame), 0);
  return Array.from({ length: Math.ceil(last / every) }, (_, k) => 1 + k * every);
}

const HEADING = "sequence        every frames  HOTA  DetA  AssA  MOTA  IDF1  IDSW  ms/frame";

function line(name: string, every: number, result: Scores | null, runs: readonly Run[]): string {
  const frames = runs.reduce((sum, one) => sum + one.frames, 0);
  const ms = runs.reduce((sum, one) => sum + one.ms, 0) / Math.max(1, frames);
  const values = result && [result.hota, result.detA, result.assA, result.mota, result.idf1];
  const cells = [...(values?.map(percent) ?? Array(5).fill("-")), result?.idSwitches ?? "-"];
  return [
    name.padEnd(16),
    String(every).padStart(5),
    String(frames).padStart(7),
    ...cells.map((cell) => String(cell).padStart(6)),
    ms.toFixed(3).padStart(10),
  ].join("");
}

function runFolder(folder: string): void {
  if (!existsSync(folder)) usage(`--data ${folder}: there is no such folder.`);
  const names = readdirSync(folder).filter((name) => existsSync(path.join(folder, name, "det.txt")));
  if (names.length === 0) usage(`--data ${folder}: there is no NAME/det.txt in it.`);
  const sequences = names.map((name) =>
    readSequence(path.join(folder, name, "det.txt"), path.join(folder, name, "gt.txt")),
  );
  console.log(HEADING);
  for (const every of [1, 3, 6]) {
    const runs = sequences.map((sequence) => run(sequence, every));
    const counts = runs.map((one) => one.counts!);
    runs.forEach((one, i) => console.log(line(sequences[i]!.name, every, scores([counts[i]!]), [one])));
    console.log(line("combined", every, scores(counts), runs));
  }
}

function main(): void {
  const string = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      det: string,
      gt: string,
      data: string,
      every: string,
      fps: string,
      width: string,
      height: string,
      out: string,
    },
  });
  if (values.data !== undefined) return runFolder(values.data);
  const { det, gt, out } = values;
  if (det === undefined || (gt === undefined && out === undefined))
    usage("Give --det FILE with --out FILE or --gt FILE (MOTChallenge text), or --data FOLDER.");
  const given: Given = {
    fps: positive("fps", values.fps),
    width: positive("width", values.width),
    height: positive("height", values.height),
  };
  const every = positive("every", values.every, { whole: true }) ?? 1;
  const sequence = readSequence(det, gt, given);
  const one = run(sequence, every);
  if (out !== undefined) writeMot(out, one.result);
  console.log(`${HEADING}\n${line(sequence.name, every, one.counts && scores([one.counts]), [one])}`);
}

await runTool(main);
