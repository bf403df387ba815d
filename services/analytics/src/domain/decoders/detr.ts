/** DETR and its kin (Carion et al. 2020, arXiv:2005.12872): each query is one object or none, so nothing is suppressed. */
import type { Detection } from "../detection.ts";
import { checkLength, checkScore, type ClassColumns, clippedBox, mismatch, sigmoid } from "./rows.ts";

export interface DetrOutput {
  /** queries * classes (and one more, "no object", last, with softmax): logits. */
  readonly scores: Float32Array;
  /** queries * 4: centre x, centre y, width, height, in fractions of the input. */
  readonly boxes: Float32Array;
}

export interface DetrLayout {
  readonly classes: ClassColumns;
  /** `softmax`: DETR, with a last column for "no object"; `sigmoid`: Deformable DETR, RT-DETR. */
  readonly activation: "softmax" | "sigmoid";
}

/** @throws HuishiError DETECTOR_INVALID_OUTPUT, MODEL_MISMATCH */
export function decodeDetr(output: DetrOutput, layout: DetrLayout, minScore: number): Detection[] {
  const { boxes, scores } = output;
  const { classes, activation } = layout;
  const columns = classes.count + (activation === "softmax" ? 1 : 0);
  if (boxes.length % 4 !== 0) throw mismatch(`boxes has ${boxes.length} values, not four a query`);
  const queries = boxes.length / 4;
  checkLength("scores", scores, queries, columns);
  const classOf = new Map(classes.kept.map(({ column, objectClass }) => [column, objectClass]));
  const found: Detection[] = [];
  for (let query = 0; query < queries; query++) {
    const row = scores.subarray(query * columns, (query + 1) * columns);
    const best = strongest(row, classes.count);
    const score = activation === "softmax" ? softmaxAt(row, best) : sigmoid(row[best] as number);
    if (score < minScore) continue;
    checkScore(score);
    const objectClass = classOf.get(best);
    if (!objectClass) continue;
    const [x, y, w, h] = boxes.subarray(query * 4, query * 4 + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    found.push({ objectClass, score, box: clippedBox(x - w / 2, y - h / 2, x + w / 2, y + h / 2) });
  }
  return found;
}

/** The column with the largest logit; one that is NaN wins, so that it is told. */
function strongest(row: Float32Array, count: number): number {
  let best = 0;
  for (let column = 0; column < count; column++) {
    const value = row[column] as number;
    if (Number.isNaN(value)) return column;
    if (value > (row[best] as number)) best = column;
  }
  return best;
}

function softmaxAt(row: Float32Array, column: number): number {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Math.exp((row[column] as number) - largest) / sum;
}
