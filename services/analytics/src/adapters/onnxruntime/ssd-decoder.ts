/** From the network's rows (encoded boxes, class logits) to candidate objects. */
import { type Box, HuishiError } from "@huishi/kernel";
import { ANCHOR_STRIDE } from "./ssd-anchors.ts";

/** Scales of the box encoding (Faster R-CNN box coder: y, x by 10, height, width by 5). */
const CENTRE_SCALE = 10;
const SIZE_SCALE = 5;

export interface Candidate {
  /** Index into the model's classes. */
  readonly classIndex: number;
  readonly score: number;
  /** As fractions of the region that was looked at; may reach over its edges. */
  readonly box: Box;
}

export interface SsdOutput {
  /** anchors * 4: encoded centre y, centre x, height, width. */
  readonly boxes: Float32Array;
  /** anchors * classes: logits. */
  readonly scores: Float32Array;
}

/**
 * Every (anchor, class) whose score is at least `minScore`.
 *
 * @throws HuishiError DETECTOR_INVALID_OUTPUT when a value is not finite or the sizes do not match the anchors
 */
export function decodeSsd(
  output: SsdOutput,
  anchors: Float32Array,
  classCount: number,
  minScore: number,
): Candidate[] {
  const anchorCount = anchors.length / ANCHOR_STRIDE;
  if (output.boxes.length !== anchorCount * 4 || output.scores.length !== anchorCount * classCount) {
    throw invalidOutput(`it has ${output.boxes.length / 4} rows where ${anchorCount} were expected`);
  }
  const minLogit = Math.log(minScore / (1 - minScore));
  const candidates: Candidate[] = [];
  for (let anchor = 0; anchor < anchorCount; anchor++) {
    for (let classIndex = 0; classIndex < classCount; classIndex++) {
      const logit = output.scores[anchor * classCount + classIndex] as number;
      // Written so that NaN, which compares false with everything, does not slip through as "no object".
      if (logit < minLogit) continue;
      if (!Number.isFinite(logit)) throw invalidOutput("a score is not a number");
      candidates.push({
        classIndex,
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
  return { x: centreX - w / 2, y: centreY - h / 2, w, h };
}

function invalidOutput(reason: string): HuishiError {
  return new HuishiError(
    "DETECTOR_INVALID_OUTPUT",
    `The model's output cannot be used: ${reason}. Build the model again ("npm run build:model"); if it persists, report the processor's type.`,
  );
}
