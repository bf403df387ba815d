/** Gathers the NAL units of one picture and writes them as one Annex B byte stream. */
import { ByteSlab } from "../byte-slab.ts";
import type { NalSink, NalSyntax } from "./nal-syntax.ts";

const START_CODE = Uint8Array.of(0, 0, 0, 1);

export interface BuiltUnit {
  /** Annex B with 4-byte start codes. */
  readonly annexB: Uint8Array;
  readonly keyframe: boolean;
  readonly disposable: boolean;
}

const FIRST_SCRATCH_BYTES = 64 * 1024;

/** What it is given is copied at once: the buffers that packets come in are used again. */
export class AccessUnitBuilder implements NalSink {
  readonly #syntax: NalSyntax;
  readonly #maxBytes: number;
  readonly #slab = new ByteSlab();
  #scratch = new Uint8Array(FIRST_SCRATCH_BYTES);
  #bytes = 0;
  #isFragmentOpen = false;
  #hasPicture = false;
  #isKeyframe = false;
  #isDisposable = true;
  #isTooLarge = false;
  /** Which parameter sets the unit itself carries. */
  #carried = 0;
  /** The last parameter sets seen, without start codes. */
  readonly #sets: (Uint8Array | null)[];
  #setsChanged = false;

  constructor(syntax: NalSyntax, parameterSets: readonly Uint8Array[], maxBytes: number) {
    this.#syntax = syntax;
    this.#maxBytes = maxBytes;
    this.#sets = Array.from({ length: syntax.parameterSets }, () => null);
    for (const nal of parameterSets) this.#remember(nal);
    this.#setsChanged = false;
  }

  get hasPicture(): boolean {
    return this.#hasPicture;
  }

  whole(nal: Uint8Array): void {
    this.#isFragmentOpen = false;
    const header = nal[0];
    if (header === undefined) return;
    this.#note(header);
    if (this.#syntax.parameterSet(header) >= 0) {
      this.#carried |= 1 << this.#syntax.parameterSet(header);
      this.#remember(nal);
    }
    this.#append(START_CODE);
    this.#append(nal);
  }

  first(header: readonly number[], body: Uint8Array): void {
    this.#note(header[0] as number);
    this.#isFragmentOpen = true;
    this.#append(START_CODE);
    this.#append(header);
    this.#append(body);
  }

  middle(body: Uint8Array, isLast: boolean): boolean {
    if (!this.#isFragmentOpen) return false;
    this.#append(body);
    if (isLast) this.#isFragmentOpen = false;
    return true;
  }

  /** Forgets the unit in work; what is known of parameter sets stays. */
  reset(): void {
    this.#bytes = 0;
    this.#isFragmentOpen = false;
    this.#hasPicture = false;
    this.#isKeyframe = false;
    this.#isDisposable = true;
    this.#isTooLarge = false;
    this.#carried = 0;
  }

  /** The finished unit, or null when it is damaged: a fragment is missing, it is too large, or it holds no picture. */
  take(): BuiltUnit | null {
    const isSound = this.#hasPicture && !this.#isFragmentOpen && !this.#isTooLarge;
    const unit = isSound ? this.#build() : null;
    this.reset();
    return unit;
  }

  /** True once after a parameter set came that differs from the one before. */
  takeChange(): boolean {
    const changed = this.#setsChanged;
    this.#setsChanged = false;
    return changed;
  }

  #build(): BuiltUnit {
    const missing = this.#isKeyframe ? this.#missingSets() : [];
    let length = this.#bytes;
    for (const nal of missing) length += START_CODE.length + nal.length;
    const annexB = this.#slab.allocate(length);
    let at = 0;
    for (const nal of missing) {
      annexB.set(START_CODE, at);
      annexB.set(nal, at + START_CODE.length);
      at += START_CODE.length + nal.length;
    }
    annexB.set(this.#scratch.subarray(0, this.#bytes), at);
    return { annexB, keyframe: this.#isKeyframe, disposable: this.#isDisposable && !this.#isKeyframe };
  }

  /** A keyframe carries its parameter sets, so that a decoder can begin at it (RFC 6184 §8.2.2 leaves them to the SDP). */
  #missingSets(): Uint8Array[] {
    return this.#sets.filter((nal, i): nal is Uint8Array => nal !== null && (this.#carried & (1 << i)) === 0);
  }

  #note(header: number): void {
    if (!this.#syntax.isPicture(header)) return;
    this.#hasPicture = true;
    if (this.#syntax.isRandomAccess(header)) this.#isKeyframe = true;
    if (!this.#syntax.isDisposable(header)) this.#isDisposable = false;
  }

  #remember(nal: Uint8Array): void {
    const index = this.#syntax.parameterSet(nal[0] ?? 0);
    const known = this.#sets[index];
    if (index < 0 || (known && isSame(known, nal))) return;
    this.#sets[index] = nal.slice();
    if (known) this.#setsChanged = true;
  }

  #append(part: ArrayLike<number>): void {
    const end = this.#bytes + part.length;
    if (this.#isTooLarge || end > this.#maxBytes) {
      this.#isTooLarge = true;
      return;
    }
    if (end > this.#scratch.length) this.#grow(end);
    this.#scratch.set(part, this.#bytes);
    this.#bytes = end;
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.min(this.#maxBytes, 2 ** Math.ceil(Math.log2(bytes))));
    larger.set(this.#scratch.subarray(0, this.#bytes));
    this.#scratch = larger;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
