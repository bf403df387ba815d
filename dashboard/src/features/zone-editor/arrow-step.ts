/** Moving points by keys, normalised to the picture. */
import type { Point } from "@huishi/kernel";

const STEP = 0.005;
const LONG_STEP = 0.03;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** How far an arrow key moves a point; null for any other key. */
export function arrowStep(key: string, isLong: boolean): Point | null {
  const direction = ARROWS[key];
  const step = isLong ? LONG_STEP : STEP;
  return direction ? { x: direction.x * step, y: direction.y * step } : null;
}
