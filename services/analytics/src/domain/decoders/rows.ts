/** What the decoders share: rows of a model's output, the columns that are classes of ours, and what is wrong with them. */
import type { ObjectClass } from "@huishi/contracts";
import { type Box, HuishiError } from "@huishi/kernel";

/** One output tensor, row-major. */
export interface ModelOutput {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Which columns of a model's class scores mean which of our classes; the others are not reported. */
export interface ClassColumns {
  /** Columns in all. */
  readonly count: number;
  readonly kept: readonly { readonly column: number; readonly objectClass: ObjectClass }[];
}

/** A part of a table: the values of `firstColumn...` in the rows `firstRow...`. */
export interface Rows {
  readonly data: Float32Array;
  readonly rowLength: number;
  readonly firstColumn: number;
  readonly firstRow: number;
}

/** @param classes in the order of the columns; null: none of ours */
export function classColumns(classes: readonly (ObjectClass | null)[]): ClassColumns {
  const kept = classes.flatMap((objectClass, column) => (objectClass ? [{ column, objectClass }] : []));
  return { count: classes.length, kept };
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The box between two corners, in fractions of the model's input, clipped to it. */
export function clippedBox(left: number, top: number, right: number, bottom: number): Box {
  if (!Number.isFinite(left + top + right + bottom)) throw invalidOutput("a box is not a number");
  const x = clamp01(left);
  const y = clamp01(top);
  return { x, y, w: Math.max(clamp01(right) - x, 0), h: Math.max(clamp01(bottom) - y, 0) };
}

/** @throws HuishiError when what passed the threshold is not a number, or is more than certain */
export function checkScore(score: number): number {
  if (!Number.isFinite(score)) throw invalidOutput("a score is not a number");
  if (score > 1.001)
    throw mismatch(`a score is ${score.toFixed(2)}, above 1: say "scoresAre": "logits" in its decoder`);
  return score;
}

/** @throws HuishiError MODEL_MISMATCH */
export function checkLength(name: string, values: Float32Array, rows: number, rowLength: number): void {
  if (values.length === rows * rowLength) return;
  throw mismatch(
    `${name} has ${values.length} values where ${rows} rows of ${rowLength} were expected; check size, classes and decoder`,
  );
}

/** NaN and infinity: the model (or the processor) is at fault, and a frame without objects would be a lie. */
export function invalidOutput(reason: string): HuishiError {
  return new HuishiError(
    "DETECTOR_INVALID_OUTPUT",
    `The model's output cannot be used: ${reason}. Build or fetch the model again ("npm run build:model" for the one that comes with Huishi); if it persists, report the processor's type.`,
  );
}

/** The registry's entry and the file do not fit each other. */
export function mismatch(reason: string): HuishiError {
  return new HuishiError(
    "MODEL_MISMATCH",
    `The model does not do what its registry entry says: ${reason} (services/analytics/models/README.md).`,
  );
}

function clamp01(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}
