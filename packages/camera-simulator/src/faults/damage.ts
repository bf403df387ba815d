/** Damages NAL units as a bad cable, memory or encoder does. Pure. */
import type { Random } from "./random.ts";

/** Copies the unit and turns bits over behind its header; the distance between two is geometric. */
export function flipBits(nal: Uint8Array, headerBytes: number, rate: number, random: Random): Uint8Array {
  const out = Uint8Array.from(nal);
  const end = out.length * 8;
  const step = (): number =>
    rate >= 1 ? 1 : 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - Math.max(rate, 1e-9)));
  for (let bit = headerBytes * 8 - 1 + step(); bit < end; bit += step()) {
    const at = bit >> 3;
    out[at] = (out[at] as number) ^ (0x80 >> (bit & 7));
  }
  return out;
}

/** The beginning of a unit: its header and at least one byte, where it has one. */
export function truncate(nal: Uint8Array, headerBytes: number, random: Random): Uint8Array {
  const kept = headerBytes + 1 + Math.floor(random() * Math.max(0, nal.length - headerBytes - 1));
  return nal.subarray(0, kept);
}
