/** YOLOX (Ge et al. 2021, arXiv:2107.08430): one row a grid cell: box, objectness, class scores; no anchors. */
import type { Detection } from "../detection.ts";
import { checkLength, checkScore, type ClassColumns, clippedBox, sigmoid } from "./rows.ts";

export interface YoloxLayout {
  /** Side of the model's square input, pixels. */
  readonly inputSize: number;
  /** Pixels a cell of each grid, in the order of the rows (YOLOX: 8, 16, 32). */
  readonly strides: readonly number[];
  readonly classes: ClassColumns;
  /** YOLOX exports objectness and class scores behind their sigmoid. */
  readonly scoresAre: "probabilities" | "logits";
  /** Exports of the demo leave boxes in cells (`centre = (xy + cell) * stride`, `size = exp(wh) * stride`). */
  readonly boxesAre: "cells" | "pixels";
}

/** Columns before the class scores: x, y, w, h, objectness. */
const HEAD = 5;

/**
 * @param rows all grids' cells after one another, each row by row
 * @throws HuishiError DETECTOR_INVALID_OUTPUT, MODEL_MISMATCH
 */
export function decodeYolox(rows: Float32Array, layout: YoloxLayout, minScore: number): Detection[] {
  const { inputSize, strides, classes } = layout;
  const rowLength = HEAD + classes.count;
  const cells = strides.reduce((sum, stride) => sum + Math.floor(inputSize / stride) ** 2, 0);
  checkLength("the output", rows, cells, rowLength);
  const asScore = layout.scoresAre === "logits" ? sigmoid : (value: number): number => value;
  const found: Detection[] = [];
  let at = 0;
  for (const stride of strides) {
    const side = Math.floor(inputSize / stride);
    for (let cell = 0; cell < side * side; cell++, at += rowLength) {
      const objectness = asScore(rows[at + 4] as number);
      // NaN goes on: it is told below.
      if (objectness < minScore) continue;
      for (const { column, objectClass } of classes.kept) {
        const score = objectness * asScore(rows[at + HEAD + column] as number);
        if (score < minScore) continue;
        const place = { column: cell % side, row: Math.floor(cell / side), stride };
        found.push({ objectClass, score: checkScore(score), box: boxAt(rows, at, place, layout) });
      }
    }
  }
  return found;
}

function boxAt(
  rows: Float32Array,
  at: number,
  { column, row, stride }: { readonly column: number; readonly row: number; readonly stride: number },
  { boxesAre, inputSize }: YoloxLayout,
): Detection["box"] {
  let [x, y, w, h] = [rows[at], rows[at + 1], rows[at + 2], rows[at + 3]] as [number, number, number, number];
  if (boxesAre === "cells") {
    x = (x + column) * stride;
    y = (y + row) * stride;
    w = Math.exp(w) * stride;
    h = Math.exp(h) * stride;
  }
  return clippedBox(
    (x - w / 2) / inputSize,
    (y - h / 2) / inputSize,
    (x + w / 2) / inputSize,
    (y + h / 2) / inputSize,
  );
}
