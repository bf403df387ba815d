/** Where figures lie on a chart. Pure. */
import type { Granularity, TimeRange } from "@huishi/contracts";

/** The drawing's size and the margins around its plot, CSS pixels. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export const plotOf = (width: number): Plot => ({
  width,
  height: 208,
  left: 44,
  right: 12,
  top: 12,
  bottom: 24,
});

/** The least of 1, 2, 5 x 10^n that the value does not pass; 1 for nothing. */
export function niceMax(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** Height of a value in a plot whose top is `max`. */
export function yOf({ height, top, bottom }: Plot, value: number, max: number): number {
  return height - bottom - (value / max) * (height - top - bottom);
}

/** Left edge and width of one of `count` bands. */
export function bandOf(
  { width, left, right }: Plot,
  index: number,
  count: number,
): { x: number; width: number } {
  const each = Math.max(0, width - left - right) / Math.max(1, count);
  return { x: left + index * each, width: each };
}

/** Which band is under a position; null beside the plot. */
export function bandAt(plot: Plot, x: number, count: number): number | null {
  const { width } = bandOf(plot, 0, count);
  const index = Math.floor((x - plot.left) / width);
  return count > 0 && index >= 0 && index < count ? index : null;
}

/** Indices to write something under, about `spacePx` apart. */
export function labelled(plot: Plot, count: number, spacePx: number): number[] {
  const room = Math.max(1, Math.floor((plot.width - plot.left - plot.right) / spacePx));
  const every = Math.max(1, Math.ceil(count / room));
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every);
}

const STEP_MS = { minute: 60_000, hour: 3_600_000 } as const;

/** Where the buckets of a range begin: days by this browser's calendar, as they were asked for. */
export function bucketsOf({ fromMs, toMs }: TimeRange, by: Granularity): number[] {
  if (by !== "day") {
    const step = STEP_MS[by];
    return Array.from({ length: Math.ceil((toMs - fromMs) / step) }, (_, index) => fromMs + index * step);
  }
  const days: number[] = [];
  for (const day = new Date(fromMs); day.getTime() < toMs; day.setDate(day.getDate() + 1)) {
    days.push(day.getTime());
  }
  return days;
}
