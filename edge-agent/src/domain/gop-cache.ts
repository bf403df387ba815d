/** A group of pictures beyond these bounds is not kept: a joiner then waits for the next keyframe. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_UNITS = 1_500;

interface Unit {
  readonly keyframe: boolean;
  readonly annexB: { readonly byteLength: number };
}

/** The current group of pictures, so that whoever joins a running stream has a picture at once. Bounded: `dropGroup`. */
export class GopCache<U extends Unit> {
  readonly #maxBytes: number;
  readonly #maxUnits: number;
  #units: U[] = [];
  #bytes = 0;

  constructor(bounds: { readonly maxBytes?: number; readonly maxUnits?: number } = {}) {
    this.#maxBytes = bounds.maxBytes ?? MAX_BYTES;
    this.#maxUnits = bounds.maxUnits ?? MAX_UNITS;
  }

  /** From a keyframe to the newest picture; empty when there is no whole beginning. */
  get units(): readonly U[] {
    return this.#units;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(unit: U): void {
    if (unit.keyframe) this.clear();
    else if (this.#units.length === 0) return;
    const isTooMuch =
      this.#bytes + unit.annexB.byteLength > this.#maxBytes || this.#units.length >= this.#maxUnits;
    if (isTooMuch) {
      this.clear();
      return;
    }
    this.#units.push(unit);
    this.#bytes += unit.annexB.byteLength;
  }

  clear(): void {
    this.#units = [];
    this.#bytes = 0;
  }
}
