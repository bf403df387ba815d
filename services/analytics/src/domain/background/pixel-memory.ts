/** A pixel counts as known once it has shown about the same, unhidden, for this long. */
const KNOWN_TENTHS = 80;
/** A pixel that differs from the background and has settled on one value for this long is static. */
const STATIC_TENTHS = 50;
/** More than this is not counted, so that what goes away is noticed within two seconds. */
const LONGEST_TENTHS = 150;
/** How fast a settled pixel is given up: when it shows the background again, and when it shows something third. */
const BACK_RATE = 8;
const HIDDEN_RATE = 2;
/** Least difference that is no noise, and how many usual deviations one is. */
const LEAST_DIFFERENCE = 16;
const DEVIATIONS = 3.5;
const LARGEST_DIFFERENCE = 40;
/** A value that a pixel has settled on may tremble by this. */
const SETTLED_DIFFERENCE = 12;
/** Time in which the slow background follows what it shows. */
const SLOW_SECONDS = 60;

export interface PixelMemoryOptions {
  readonly width: number;
  readonly height: number;
}

/** A picture in a light that may be another than the background's. */
export interface LitPicture {
  /** As it is. */
  readonly luma: Uint8Array;
  /** In the tones of the slow background. */
  readonly values: Uint8Array;
  /** 1 where something stands in front. */
  readonly hidden: Uint8Array;
  /** Tone of the slow background -> tone of the picture. */
  readonly inverse: Uint8Array;
}

/** A pixel that shows its background. */
interface Sight {
  readonly value: number;
  readonly shown: number;
  readonly tenths: number;
  readonly share: number;
}

/**
 * Two backgrounds of every pixel: the slow one, what it usually shows, which follows over minutes and never what
 * differs; and the fast one, the value that a differing pixel has settled on, with for how long. After Porikli 2007
 * ("Detection of temporarily static regions by processing video at different frame rates"), with settled values instead
 * of a second mean, so that uneven frame times and passers-by do not smear it.
 */
export class PixelMemory {
  readonly slow: Float32Array;
  readonly settled: Uint8Array;
  private readonly width: number;
  private readonly deviation: Float32Array;
  private readonly knownTenths: Uint8Array;
  private readonly settledTenths: Uint8Array;
  /** Tenths of a second that were too short to be counted. */
  private spareTenths = 0;

  constructor({ width, height }: PixelMemoryOptions) {
    const pixels = width * height;
    this.width = width;
    this.slow = new Float32Array(pixels);
    this.settled = new Uint8Array(pixels);
    this.deviation = new Float32Array(pixels).fill(LEAST_DIFFERENCE / DEVIATIONS);
    this.knownTenths = new Uint8Array(pixels);
    this.settledTenths = new Uint8Array(pixels);
  }

  /** Forgets everything and takes this picture for the background, of which nothing is known yet. */
  restart(luma: Uint8Array): void {
    this.slow.set(luma);
    this.knownTenths.fill(0);
    this.settledTenths.fill(0);
  }

  isStatic(pixel: number): boolean {
    return this.settledTenths[pixel]! >= STATIC_TENTHS;
  }

  /** Share of the known, unhidden pixels that differ from the slow background, and have not settled; 0..1. */
  unsettledShare({ values, hidden }: LitPicture): number {
    let known = 0;
    let differing = 0;
    for (let i = 0; i < values.length; i += 3) {
      if (hidden[i] === 1 || this.knownTenths[i]! < KNOWN_TENTHS) continue;
      known++;
      if (this.settledTenths[i]! < STATIC_TENTHS && this.differs(i, values[i]!)) differing++;
    }
    return known === 0 ? 0 : differing / known;
  }

  /** Takes one picture. What differs, or is hidden, keeps what it was, but in the tones of the present light. */
  learn({ luma, values, hidden, inverse }: LitPicture, seconds: number): void {
    const exact = seconds * 10 + this.spareTenths;
    const tenths = Math.min(20, Math.floor(exact));
    this.spareTenths = Math.min(1, exact - tenths);
    const share = 1 - Math.exp(-seconds / SLOW_SECONDS);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (hidden[i] === 0 && this.knownTenths[i]! < KNOWN_TENTHS) {
        this.getToKnow(i, luma[i]!, tenths);
      } else if (hidden[i] === 0 && (!this.differs(i, value) || this.isBeside(i, value))) {
        this.follow(i, { value, shown: luma[i]!, tenths, share });
      } else {
        if (hidden[i] === 0) this.settle(i, value, tenths);
        const before = this.slow[i]!;
        this.slow[i] = before + share * (inverse[(before + 0.5) | 0]! - before);
      }
    }
  }

  /** The light has changed at once: what is static shows something else now, and is as static as before. */
  resettle({ values, hidden }: LitPicture): void {
    for (let i = 0; i < values.length; i++) {
      if (hidden[i] === 0 && this.isStatic(i) && this.differs(i, values[i]!)) this.settled[i] = values[i]!;
    }
  }

  /** The light has changed for good: takes the picture for the background, but keeps what is static apart from it. */
  rebase({ luma, hidden }: LitPicture): void {
    for (let i = 0; i < luma.length; i++) {
      const value = luma[i]!;
      if (hidden[i] === 1) {
        this.knownTenths[i] = 0;
        this.settledTenths[i] = 0;
      } else if (this.isStatic(i)) {
        this.slow[i] = Math.max(0, Math.min(255, value + this.slow[i]! - this.settled[i]!));
        this.settled[i] = value;
      } else {
        this.slow[i] = value;
        this.settledTenths[i] = 0;
      }
    }
  }

  /** The pixel's settled value is its background from now on. */
  absorb(pixel: number): void {
    this.slow[pixel] = this.settled[pixel]!;
    this.settledTenths[pixel] = 0;
  }

  private differs(pixel: number, value: number): boolean {
    const range = Math.min(LARGEST_DIFFERENCE, DEVIATIONS * this.deviation[pixel]!);
    return Math.abs(value - this.slow[pixel]!) > Math.max(LEAST_DIFFERENCE, range);
  }

  /** Does the value fit between the neighbours' backgrounds? An edge that shakes by a pixel is no object. */
  private isBeside(pixel: number, value: number): boolean {
    const { slow, width } = this;
    let low = 255;
    let high = 0;
    for (const step of [-width - 1, -width, 1 - width, -1, 1, width - 1, width, width + 1]) {
      const near = slow[pixel + step];
      if (near === undefined) continue;
      if (near < low) low = near;
      if (near > high) high = near;
    }
    return value >= low && value <= high;
  }

  private getToKnow(pixel: number, value: number, tenths: number): void {
    const before = this.slow[pixel]!;
    if (Math.abs(value - before) > LEAST_DIFFERENCE) {
      this.slow[pixel] = value;
      this.knownTenths[pixel] = 0;
      return;
    }
    this.slow[pixel] = before + 0.2 * (value - before);
    this.knownTenths[pixel] = Math.min(KNOWN_TENTHS, this.knownTenths[pixel]! + tenths);
  }

  private follow(pixel: number, { value, shown, tenths, share }: Sight): void {
    const before = this.slow[pixel]!;
    const surprise = Math.min(LARGEST_DIFFERENCE, Math.abs(value - before));
    this.slow[pixel] = before + share * (shown - before);
    this.deviation[pixel] = this.deviation[pixel]! + share * (surprise - this.deviation[pixel]!);
    const left = this.settledTenths[pixel]! - BACK_RATE * tenths;
    this.settledTenths[pixel] = left > 0 ? left : 0;
  }

  private settle(pixel: number, value: number, tenths: number): void {
    const settled = this.settled[pixel]!;
    const so = this.settledTenths[pixel]!;
    if (so > 0 && Math.abs(value - settled) > SETTLED_DIFFERENCE) {
      const left = so - HIDDEN_RATE * tenths;
      this.settledTenths[pixel] = left > 0 ? left : 0;
      return;
    }
    this.settled[pixel] = so === 0 ? value : settled + Math.sign(value - settled);
    this.settledTenths[pixel] = Math.min(LONGEST_TENTHS, so + Math.max(1, tenths));
  }
}
