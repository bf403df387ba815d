/**
 * NanoDet: class scores and, for each side of the box, a distribution over distances whose mean is the distance
 * (Generalized Focal Loss, Li et al. 2020, arXiv:2006.04388, eq. 3-5).
 */
import type { Box } from "@huishi/kernel";
import type { Detection } from "../detection.ts";
import {
  checkLength,
  checkScore,
  type ClassColumns,
  clippedBox,
  mismatch,
  type Rows,
  sigmoid,
} from "./rows.ts";

export interface NanodetLayout {
  readonly inputSize: number;
  /** Pixels a cell of each level, in the order of the levels. */
  readonly strides: readonly number[];
  readonly classes: ClassColumns;
  /** The largest distance, in cells: each side has `regMax + 1` values. 7 in NanoDet and NanoDet-Plus, 10 in NanoDet-g. */
  readonly regMax: number;
  /** Where in its cell a prediction stands: 0.5 in NanoDet, 0 in NanoDet-Plus. */
  readonly cellCentre: number;
  readonly scoresAre: "probabilities" | "logits";
}

export interface NanodetLevel {
  /** `classes.count` columns. */
  readonly scores: Rows;
  /** 4 * (regMax + 1) columns, logits: left, top, right, bottom. */
  readonly distances: Rows;
}

/** Rows of one level: a cell each. */
function nanodetRows(inputSize: number, stride: number): number {
  return Math.ceil(inputSize / stride) ** 2;
}

/** The levels of a model that gives all of them in one table, class scores first (NanoDet-Plus). */
export function nanodetLevels(table: Float32Array, layout: NanodetLayout): NanodetLevel[] {
  const rowLength = layout.classes.count + 4 * (layout.regMax + 1);
  const counts = layout.strides.map((stride) => nanodetRows(layout.inputSize, stride));
  checkLength(
    "the output",
    table,
    counts.reduce((sum, count) => sum + count, 0),
    rowLength,
  );
  let firstRow = 0;
  return counts.map((count) => {
    const part = { data: table, rowLength, firstRow };
    firstRow += count;
    return {
      scores: { ...part, firstColumn: 0 },
      distances: { ...part, firstColumn: layout.classes.count },
    };
  });
}

/** @throws HuishiError DETECTOR_INVALID_OUTPUT, MODEL_MISMATCH */
export function decodeNanodet(
  levels: readonly NanodetLevel[],
  layout: NanodetLayout,
  minScore: number,
): Detection[] {
  const { inputSize, strides } = layout;
  if (levels.length !== strides.length)
    throw mismatch(`it has ${levels.length} levels and ${strides.length} strides`);
  return levels.flatMap((level, index) => {
    const stride = strides[index] as number;
    const rows = nanodetRows(inputSize, stride);
    for (const [name, part] of Object.entries(level)) checkPart(`${name} of level ${index}`, part, rows);
    return decodeLevel(level, { layout, stride, rows, minScore });
  });
}

function checkPart(name: string, { data, rowLength, firstRow }: Rows, rows: number): void {
  if (data.length < (firstRow + rows) * rowLength || data.length % rowLength !== 0)
    throw mismatch(`${name} has ${data.length} values where ${rows} rows of ${rowLength} were expected`);
}

interface LevelView {
  readonly layout: NanodetLayout;
  readonly stride: number;
  readonly rows: number;
  readonly minScore: number;
}

function decodeLevel({ scores, distances }: NanodetLevel, view: LevelView): Detection[] {
  const { classes, scoresAre } = view.layout;
  const found: Detection[] = [];
  for (let row = 0; row < view.rows; row++) {
    const at = (scores.firstRow + row) * scores.rowLength + scores.firstColumn;
    let box: Box | null = null;
    for (const { column, objectClass } of classes.kept) {
      const value = scores.data[at + column] as number;
      const score = scoresAre === "logits" ? sigmoid(value) : value;
      if (score < view.minScore) continue;
      checkScore(score);
      box ??= boxAt(distances, row, view);
      found.push({ objectClass, score, box });
    }
  }
  return found;
}

function boxAt(distances: Rows, row: number, { layout, stride }: LevelView): Box {
  const { inputSize, regMax, cellCentre } = layout;
  const side = Math.ceil(inputSize / stride);
  const at = (distances.firstRow + row) * distances.rowLength + distances.firstColumn;
  const distance = (edge: number): number =>
    expectedBin(distances.data, at + edge * (regMax + 1), regMax) * stride;
  const x = ((row % side) + cellCentre) * stride;
  const y = (Math.floor(row / side) + cellCentre) * stride;
  return clippedBox(
    (x - distance(0)) / inputSize,
    (y - distance(1)) / inputSize,
    (x + distance(2)) / inputSize,
    (y + distance(3)) / inputSize,
  );
}

/** Mean of the softmax distribution over the bins 0..regMax. */
function expectedBin(logits: Float32Array, from: number, regMax: number): number {
  let largest = -Infinity;
  for (let bin = 0; bin <= regMax; bin++) largest = Math.max(largest, logits[from + bin] as number);
  let sum = 0;
  let weighted = 0;
  for (let bin = 0; bin <= regMax; bin++) {
    const weight = Math.exp((logits[from + bin] as number) - largest);
    sum += weight;
    weighted += weight * bin;
  }
  return weighted / sum;
}
