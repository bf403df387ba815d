/** From the network's rows (encoded boxes, class logits) to candidate objects. */
import type { ObjectClass } from "@huishi/contracts";
import { type Box, HuishiError } from "@huishi/kernel";
import type { Detection } from "../../domain/index.ts";
import { ANCHOR_STRIDE } from "./ssd-anchors.ts";

/** Scales of the box encoding (Faster R-CNN box coder: y, x by 10, height, width by 5). */
const CENTRE_SCALE = 10;
const SIZE_SCALE = 5;

export interface SsdOutput {
  /** anchors * 4: encoded centre y, centre x, height, width. */
  readonly boxes: Float32Array;
  /** anchors * classes: logits. */
  readonly scores: Float32Array;
}

/**
 * Every (anchor, class) whose score is at least `minScore`: many for each object. Boxes are normalised to what the model
 * was shown, and clipped to it.
 *
 * @throws HuishiError DETECTOR_INVALID_OUTPUT when a value is not finite or the sizes do not match the anchors
 */
export function decodeSsd(
  output: SsdOutput,
  anchors: Float32Array,
  classes: readonly ObjectClass[],
  minScore: number,
): Detection[] {
  const classCount = classes.length;
  const anchorCount = anchors.length / ANCHOR_STRIDE;
  if (output.boxes.length !== anchorCount * 4 || output.scores.length !== anchorCount * classCount) {
    throw invalidOutput(`it has ${output.boxes.length / 4} rows where ${anchorCount} were expected`);
  }
  const minLogit = Math.log(minScore / (1 - minScore));
  const candidates: Detection[] = [];
  for (let anchor = 0; anchor < anchorCount; anchor++) {
    for (let classIndex = 0; classIndex < classCount; classIndex++) {
      const logit = output.scores[anchor * classCount + classIndex] as number;
      // Written so that NaN, which compares false with everything, does not slip through as "no object".
      if (logit < minLogit) continue;
      if (!Number.isFinite(logit)) throw invalidOutput("a score is not a number");
      candidates.push({
        objectClass: classes[classIndex] as ObjectClass,
        score: 1 / (1 + Math.exp(-logit)),
        box: decodeBox(output.boxes, anchors, anchor * 4),
      });
    }
  }
  return candidates;
}

function decodeBox(encoded: Float32Array, anchors: Float32Array, at: number): Box {
  const anchorHeight = anchors[at + 2] as number;
  const anchorWidth = anchors[at + 3] as number;
  const centreY = ((encoded[at] as number) / CENTRE_SCALE) * anchorHeight + (anchors[at] as number);
  const centreX = ((encoded[at + 1] as number) / CENTRE_SCALE) * anchorWidth + (anchors[at + 1] as number);
  const h = Math.exp((encoded[at + 2] as number) / SIZE_SCALE) * anchorHeight;
  const w = Math.exp((encoded[at + 3] as number) / SIZE_SCALE) * anchorWidth;
  if (!Number.isFinite(centreX + centreY + w + h)) throw invalidOutput("a box is not a number");
  const left = clamp01(centreX - w / 2);
  const top = clamp01(centreY - h / 2);
  return { x: left, y: top, w: clamp01(centreX + w / 2) - left, h: clamp01(centreY + h / 2) - top };
}

function clamp01(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

function invalidOutput(reason: string): HuishiError {
  return new HuishiError(
    "DETECTOR_INVALID_OUTPUT",
    `The model's output cannot be used: ${reason}. Build the model again ("npm run build:model"); if it persists, report the processor's type.`,
  );
}
