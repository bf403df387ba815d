/** Single Shot Detector: rows of encoded boxes and class logits, one an anchor (Liu et al. 2016). */
import type { Box } from "@huishi/kernel";
import type { Detection } from "../detection.ts";
import { checkLength, type ClassColumns, clippedBox, invalidOutput, sigmoid } from "./rows.ts";
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

export interface SsdLayout {
  /** `ssdAnchors`. */
  readonly anchors: Float32Array;
  readonly classes: ClassColumns;
}

/**
 * Every (anchor, class) whose score is at least `minScore`: many for each object. Boxes are normalised to what the model
 * was shown, and clipped to it.
 *
 * @throws HuishiError DETECTOR_INVALID_OUTPUT when a value is not finite, MODEL_MISMATCH when the sizes do not match
 */
export function decodeSsd(output: SsdOutput, layout: SsdLayout, minScore: number): Detection[] {
  const { anchors, classes } = layout;
  const anchorCount = anchors.length / ANCHOR_STRIDE;
  checkLength("boxes", output.boxes, anchorCount, 4);
  checkLength("scores", output.scores, anchorCount, classes.count);
  const minLogit = Math.log(minScore / (1 - minScore));
  const candidates: Detection[] = [];
  for (let anchor = 0; anchor < anchorCount; anchor++) {
    for (const { column, objectClass } of classes.kept) {
      const logit = output.scores[anchor * classes.count + column] as number;
      // Written so that NaN, which compares false with everything, does not slip through as "no object".
      if (logit < minLogit) continue;
      if (!Number.isFinite(logit)) throw invalidOutput("a score is not a number");
      candidates.push({
        objectClass,
        score: sigmoid(logit),
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
  return clippedBox(centreX - w / 2, centreY - h / 2, centreX + w / 2, centreY + h / 2);
}
