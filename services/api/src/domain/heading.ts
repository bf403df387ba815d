import type { Heading } from "@huishi/contracts";

const CENTRE_DEG: Readonly<Record<Heading, number>> = { up: 0, right: 90, down: 180, left: 270 };

/** Degrees within 45 of a way: half open ranges, one or (around 0) two, so that each degree has one way. */
export function headingRanges(heading: Heading): readonly (readonly [fromDeg: number, toDeg: number])[] {
  const fromDeg = (CENTRE_DEG[heading] + 315) % 360;
  const toDeg = CENTRE_DEG[heading] + 45;
  return fromDeg < toDeg
    ? [[fromDeg, toDeg]]
    : [
        [fromDeg, 360],
        [0, toDeg],
      ];
}
