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

/** Reads a MOTChallenge file; blank lines are skipped. @throws MOT_FILE_INVALID with the line's number */
export function parseMot(text: string, name = "file"): MotRow[] {
  const rows: MotRow[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    const values = line.split(",").map(Number);
    const [frame, id, x, y, w, h] = values as [number, number, number, number, number, number];
    const confidence = values[6] ?? 1;
    const numeric = values.length >= 6 && [frame, id, x, y, w, h, confidence].every(Number.isFinite);
    if (!numeric || !Number.isInteger(frame) || frame < 1 || w < 0 || h < 0) {
      throw new HuishiError(
        "MOT_FILE_INVALID",
        `${name} line ${index + 1} is not "frame,id,left,top,width,height,confidence": give a MOTChallenge file`,
      );
    }
    rows.push({ frame, id, x, y, w, h, confidence });
  });
  return rows;
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
