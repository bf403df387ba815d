import type { Box } from "@huishi/kernel";
import type { Measurement } from "./measurement.ts";
import { PARAMETERS } from "./parameters.ts";

/**
 * What an object looks like: a histogram whose bins add up to 1, of any kind as long as it is the same for all. The
 * tracker only compares them.
 */
export type Appearance = Float32Array;

/** Looks at a box (normalised) of the picture that is being tracked; null when it shows too little. */
export type Look = (box: Box) => Appearance | null;

/** The looks taken at one frame: only at what is asked for, and at each detection once. */
export class Glances {
  private readonly look: Look | undefined;
  private readonly taken = new Map<Measurement, Appearance | null>();

  /** @param look absent = a tracker without pictures: nothing looks like anything */
  constructor(look: Look | undefined) {
    this.look = look;
  }

  get possible(): boolean {
    return this.look !== undefined;
  }

  of(measured: Measurement): Appearance | null {
    if (this.look === undefined) return null;
    const known = this.taken.get(measured);
    if (known !== undefined) return known;
    const appearance = this.look(measured.detection.box);
    this.taken.set(measured, appearance);
    return appearance;
  }
}

/** Hellinger distance, 0 (alike) to 1 (nothing in common) (Comaniciu, Ramesh and Meer 2003, §3.1). */
export function appearanceDistance(a: Appearance, b: Appearance): number {
  let overlap = 0;
  for (let i = 0; i < a.length; i++) overlap += Math.sqrt(a[i]! * b[i]!);
  return Math.sqrt(Math.max(0, 1 - overlap));
}

/**
 * What it costs to call both one object: an approximately linear logarithm of the odds, bounded, since light and
 * shadow change looks and many dress alike.
 */
export function appearanceCost(a: Appearance, b: Appearance): number {
  const { appearanceNeutral, appearanceSlope, appearanceGainMost, appearanceCostMost } = PARAMETERS;
  const cost = appearanceSlope * (appearanceDistance(a, b) - appearanceNeutral);
  return Math.max(-appearanceGainMost, Math.min(appearanceCostMost, cost));
}

/** The older look with some of the newer one in it. */
export function blend(older: Appearance, newer: Appearance): Appearance {
  return older.map((value, i) => value + PARAMETERS.appearanceRate * (newer[i]! - value));
}
