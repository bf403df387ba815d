/** Development only: how far the int8 model finds what the float one finds. */
import { iou } from "@huishi/kernel";
import type { Detector } from "../application/detector.ts";
import type { Detection } from "../domain/index.ts";
import type { CalibrationPicture } from "./calibrate.ts";

/** The rules' default: what scores less raises no alarm. */
const minScore = 0.4;
/** An object at the threshold in one model may stand just below it in the other; that is not a disagreement. */
const borderlineScore = 0.35;
const sameObjectIou = 0.5;

export interface Agreement {
  readonly pictures: number;
  readonly referenceObjects: number;
  readonly objects: number;
  /** Share of int8 objects that the float model has as well. */
  readonly precision: number;
  /** Share of the float model's objects that the int8 one has as well. */
  readonly recall: number;
  /** Mean overlap of the objects that both have. */
  readonly meanIou: number;
  /** Mean difference of their scores. */
  readonly meanScoreError: number;
}

/** Both detectors must report candidates down to `borderlineScore`. */
export async function measureAgreement(
  reference: Detector,
  detector: Detector,
  pictures: readonly CalibrationPicture[],
): Promise<Agreement> {
  const sums = { reference: 0, objects: 0, confirmed: 0, found: 0, iou: 0, scoreError: 0 };
  for (const { frame, region } of pictures) {
    const expected = await reference.detect(frame, [region]);
    const actual = await detector.detect(frame, [region]);
    for (const object of actual.filter(({ score }) => score >= minScore)) {
      sums.objects += 1;
      if (partnerOf(object, expected)) sums.confirmed += 1;
    }
    for (const object of expected.filter(({ score }) => score >= minScore)) {
      sums.reference += 1;
      const partner = partnerOf(object, actual);
      if (!partner) continue;
      sums.found += 1;
      sums.iou += iou(object.box, partner.box);
      sums.scoreError += Math.abs(object.score - partner.score);
    }
  }
  return {
    pictures: pictures.length,
    referenceObjects: sums.reference,
    objects: sums.objects,
    precision: sums.confirmed / sums.objects,
    recall: sums.found / sums.reference,
    meanIou: sums.iou / sums.found,
    meanScoreError: sums.scoreError / sums.found,
  };
}

function partnerOf(object: Detection, others: readonly Detection[]): Detection | undefined {
  return others
    .filter(
      (other) =>
        other.objectClass === object.objectClass &&
        other.score >= borderlineScore &&
        iou(other.box, object.box) >= sameObjectIou,
    )
    .sort((a, b) => iou(b.box, object.box) - iou(a.box, object.box))[0];
}
