import { HuishiError } from "@huishi/kernel";

/**
 * One line of a MOTChallenge text file: `frame,id,left,top,width,height,confidence,...`, pixels, frames from 1
 * (Leal-Taixé et al. 2015, "MOTChallenge 2015", §3.3).
 */
export interface MotRow {
  readonly frame: number;
  /** -1 in detection files. */
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  /** Detector's score; in ground truth 0 marks a row that must not be scored. */
  readonly confidence: number;
}

/** Cells that mean something here; what follows (a class, a place in the world) is not read. */
const CELLS = 7;
/** Two days at 10 pictures a second; a larger frame number is a damaged line, not a longer video. */
const LAST_FRAME = 2_000_000;

/** Reads a MOTChallenge file; blank lines are skipped. @throws MOT_FILE_INVALID with the line's number */
export function parseMot(text: string, name = "file"): MotRow[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const row = parseLine(line);
    if (row !== null) return [row];
    throw new HuishiError(
      "MOT_FILE_INVALID",
      `${name} line ${index + 1} is not "frame,id,left,top,width,height,confidence" with frames from 1: give a MOTChallenge file`,
      { details: { line: index + 1 } },
    );
  });
}

function parseLine(line: string): MotRow | null {
  const values = line
    .split(",")
    .slice(0, CELLS)
    .map((cell) => (cell.trim() === "" ? NaN : Number(cell)));
  if (values.length < CELLS - 1 || !values.every(Number.isFinite)) return null;
  const [frame, id, x, y, w, h, confidence = 1] = values as [number, number, number, number, number, number];
  if (!Number.isInteger(frame) || frame < 1 || frame > LAST_FRAME || w < 0 || h < 0) return null;
  return { frame, id, x, y, w, h, confidence };
}

/** Writes rows as MOTChallenge result lines, hundredths of a pixel. */
export function formatMot(rows: readonly MotRow[]): string {
  const cell = (value: number) => String(Math.round(value * 100) / 100);
  return rows
    .map(
      (row) =>
        `${row.frame},${row.id},${cell(row.x)},${cell(row.y)},${cell(row.w)},${cell(row.h)},${Math.round(row.confidence * 1e4) / 1e4},-1,-1,-1\n`,
    )
    .join("");
}

/** Keeps frames 1, 1 + every, 1 + 2·every, ...: what a camera sampled at a fraction of its rate would give. */
export function everyNth(rows: readonly MotRow[], every: number): MotRow[] {
  return rows.filter((row) => (row.frame - 1) % every === 0);
}

/**
 * The frames that a detection file is about, rising: up to the last one named, every n-th where all that are named
 * lie on such a grid (a file of every 3rd frame says nothing about those between; they were not looked at).
 */
export function framesOf(rows: readonly MotRow[]): number[] {
  const named = [...new Set(rows.map((row) => row.frame))].sort((a, b) => a - b);
  const first = named[0] ?? 1;
  const step = named.reduce((common, frame) => greatestCommonDivisor(common, frame - first), 0) || 1;
  const start = ((first - 1) % step) + 1;
  const last = named.at(-1) ?? 0;
  return Array.from({ length: Math.floor((last - start) / step) + 1 }, (_, k) => start + k * step);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
