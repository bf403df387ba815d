import type { Detection } from "../detection.ts";
import { PARAMETERS } from "./parameters.ts";

/** A detection in the tracker's own plane: centre and sides in picture heights, so that both directions are alike. */
export interface Measurement {
  readonly detection: Detection;
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

/** A displacement in the same plane. */
export interface Shift {
  readonly x: number;
  readonly y: number;
}

const SMALLEST_SIDE = 1e-4;

export function measure(detection: Detection, aspectRatio: number): Measurement {
  const { x, y, w, h } = detection.box;
  return {
    detection,
    cx: (x + w / 2) * aspectRatio,
    cy: y + h / 2,
    w: Math.max(w * aspectRatio, SMALLEST_SIDE),
    h: Math.max(h, SMALLEST_SIDE),
  };
}

/** Variances of a measurement's centre and of the logarithms of its sides. */
export const varianceX = ({ w }: Measurement): number => (PARAMETERS.centreNoiseX * w) ** 2;
export const varianceY = ({ h }: Measurement): number => (PARAMETERS.centreNoiseY * h) ** 2;
export const VARIANCE_LOG_W = PARAMETERS.widthNoise ** 2;
export const VARIANCE_LOG_H = PARAMETERS.heightNoise ** 2;
