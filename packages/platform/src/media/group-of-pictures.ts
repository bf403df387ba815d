import type { AccessUnit } from "@huishi/contracts";

/** Longest and largest group that is kept for newcomers. Beyond either, they wait for the next keyframe. */
const MAX_GROUP_MS = 10_000;
export const MAX_GROUP_BYTES = 12 * 1024 * 1024;

/**
 * The access units since the last keyframe (a group of pictures): what a decoder needs to show the present
 * picture at once. Bounded in bytes and time; a group that outgrows its bounds or has a gap is dropped whole,
 * because a part of one cannot be decoded.
 */
export class GroupOfPictures {
  #units: AccessUnit[] = [];
  #bytes = 0;

  get units(): readonly AccessUnit[] {
    return this.#units;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  add(unit: AccessUnit): void {
    if (unit.keyframe) this.clear();
    else if (this.#units.length === 0) return;
    else if (unit.discontinuity || this.#wouldOutgrow(unit)) {
      this.clear();
      return;
    }
    this.#units.push(unit);
    this.#bytes += unit.data.byteLength;
  }

  clear(): void {
    this.#units = [];
    this.#bytes = 0;
  }

  #wouldOutgrow(unit: AccessUnit): boolean {
    const first = this.#units[0] as AccessUnit;
    const ageMs = unit.capturedAtMs - first.capturedAtMs;
    return ageMs > MAX_GROUP_MS || this.#bytes + unit.data.byteLength > MAX_GROUP_BYTES;
  }
}
