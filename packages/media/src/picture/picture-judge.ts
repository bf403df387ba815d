import { FaultLatch, type Finding, type LatchLimits } from "@huishi/kernel";
import { changedBlocks, type LumaPicture, measurePicture, type PictureMeasure } from "./measure.ts";
import { type ViewComparison, ViewReference } from "./view-reference.ts";

/** A fault of the picture, and since when it is seen. */
export interface FoundFault {
  readonly fault: PictureFault;
  readonly sinceMs: number;
}

/** Faults with a picture alone. */
const PICTURE_FAULTS = ["black", "frozen", "occluded", "moved_view", "blurred"] as const;
export type PictureFault = (typeof PICTURE_FAULTS)[number];

/** Seen in three samples at least and over 20 s: with a sample every 5 to 10 s a fault is told within 30 s. */
const USUAL: LatchLimits = { enterMs: 20_000, enterSamples: 3, exitMs: 15_000, exitSamples: 3 };

/** The pause between two samples of a camera that the figures below are meant for. */
export const PICTURE_SAMPLE_MS = 5_000;

/** Every figure that decides about a picture. Enter and leave differ, so that nothing flickers at a limit. */
const PICTURE_LIMITS = {
  /** Samples before a view is known; until then `moved_view`, `occluded` and `blurred` are not judged at all. */
  learnSamples: 12,
  /** Share of each later picture in the reference: 0.01 at a sample every 5 s is a memory of 8 minutes. */
  learnShare: 0.01,
  /** Luma below which the 98th percentile is black (full range: black is 0; some cameras label limited range as full, then it is 16). */
  black: { enter: 20, leave: 28 },
  /** Share of blocks that changed by more than `tolerance` levels since the first picture of a still run. */
  frozen: { enter: 0.1, tolerance: 0.12 },
  /** Sharpness over the camera's usual one. */
  blurred: { enter: 0.5, leave: 0.7 },
  /** Share of blocks that lost their edges. `layout`: the same brightness layout is bad focus, not something in front. */
  occluded: { enter: 0.35, leave: 0.2, layout: 0.85 },
  /** Kept share of the usual edges; `edges`: the picture must still have that share of edges of its own. */
  movedView: { enter: 0.25, leave: 0.45, edges: 0.35 },
  /** Below this spread (98th minus 2nd percentile) a picture shows too little to compare its view. */
  minSpread: 24,
  latches: {
    black: USUAL,
    // A still scene is told from a frozen one by its noise alone: longer.
    frozen: { enterMs: 40_000, enterSamples: 5, exitMs: 5_000, exitSamples: 2 },
    occluded: { enterMs: 30_000, enterSamples: 4, exitMs: 15_000, exitSamples: 3 },
    moved_view: { enterMs: 30_000, enterSamples: 4, exitMs: 15_000, exitSamples: 3 },
    blurred: { enterMs: 25_000, enterSamples: 4, exitMs: 15_000, exitSamples: 3 },
  } satisfies Record<PictureFault, LatchLimits>,
} as const;

export type PictureLimits = typeof PICTURE_LIMITS;

/** What one sample says, before any persistence. */
export type PictureFindings = Readonly<Record<PictureFault, Finding>>;

/** Judges one camera's sampled pictures; says nothing of what it does not know yet. */
export class PictureJudge {
  readonly #limits: PictureLimits;
  readonly #latches: Readonly<Record<PictureFault, FaultLatch>>;
  #reference = new ViewReference();
  #anchor: LumaPicture | null = null;

  constructor(limits: PictureLimits = PICTURE_LIMITS) {
    this.#limits = limits;
    const latch = (fault: PictureFault): FaultLatch => new FaultLatch(limits.latches[fault]);
    this.#latches = {
      black: latch("black"),
      frozen: latch("frozen"),
      occluded: latch("occluded"),
      moved_view: latch("moved_view"),
      blurred: latch("blurred"),
    };
  }

  /** False while the camera's usual view is still being learnt. */
  get isKnown(): boolean {
    return this.#reference.samples >= this.#limits.learnSamples;
  }

  get faults(): FoundFault[] {
    return PICTURE_FAULTS.flatMap((fault) => {
      const { sinceMs } = this.#latches[fault];
      return sinceMs === null ? [] : [{ fault, sinceMs }];
    });
  }

  /** The view was changed on purpose (PTZ, a new mounting): learns it anew. */
  relearn(): void {
    this.#reference = new ViewReference();
    this.#anchor = null;
  }

  /** The usual view, to be kept; null while it is being learnt, or while something is wrong with what is seen. */
  get view(): Uint8Array | null {
    return this.isKnown && this.faults.length === 0 ? this.#reference.toBytes() : null;
  }

  /** Takes a view that was kept; false when it is none. */
  recall(view: Uint8Array): boolean {
    const reference = ViewReference.fromBytes(view);
    if (reference) this.#reference = reference;
    return reference !== null;
  }

  sample(picture: LumaPicture, atMs: number): PictureFindings {
    const measure = measurePicture(picture);
    const findings = this.#find(picture, measure);
    for (const fault of PICTURE_FAULTS) this.#latches[fault].observe(findings[fault], atMs);
    if (this.#isUsual(findings)) this.#reference.learn(measure, this.#limits.learnShare);
    return findings;
  }

  /** Only pictures with nothing suspicious teach: a fault must not become the usual view. */
  #isUsual(findings: PictureFindings): boolean {
    const isSuspicious = PICTURE_FAULTS.some((fault) => findings[fault] === "bad");
    const isFaulty = (["black", "occluded", "moved_view", "blurred"] as const).some(
      (fault) => this.#latches[fault].sinceMs !== null,
    );
    return !isFaulty && (!isSuspicious || (!this.isKnown && findings.black !== "bad"));
  }

  #find(picture: LumaPicture, measure: PictureMeasure): PictureFindings {
    const { black } = this.#limits;
    const isStill = this.#isStill(picture);
    if (measure.high < black.enter) {
      return { black: "bad", frozen: "unknown", ...NOTHING_SEEN };
    }
    const dark: Finding = measure.high > black.leave ? "good" : "between";
    const frozen: Finding = isStill ? "bad" : "good";
    const view = this.isKnown ? this.#reference.compare(measure) : null;
    if (view === null) return { black: dark, frozen, ...NOTHING_SEEN };
    return { black: dark, frozen, ...this.#findView(view, measure) };
  }

  #findView(view: ViewComparison, measure: PictureMeasure): Omit<PictureFindings, "black" | "frozen"> {
    const { blurred, occluded, movedView, minSpread } = this.#limits;
    const isFlat = measure.high - measure.low < minSpread;
    const isCovered = view.lostBlocks > occluded.enter && view.layout < occluded.layout;
    if (isCovered) return { occluded: "bad", moved_view: "unknown", blurred: "unknown" };
    const clear: Finding = view.lostBlocks < occluded.leave ? "good" : "between";
    // Without contrast (fog, a dark night) neither focus nor view can be told.
    if (isFlat) return { occluded: clear, moved_view: "unknown", blurred: "unknown" };
    const sharp = below(view.sharpness, blurred);
    const isMoved = view.kept < movedView.enter && view.edges > movedView.edges && sharp !== "bad";
    const moved: Finding = isMoved ? "bad" : view.kept > movedView.leave ? "good" : "between";
    return { occluded: clear, moved_view: moved, blurred: isMoved ? "unknown" : sharp };
  }

  /**
   * Still against the first picture of the run, not the last one: slow change adds up. A clock that the camera writes
   * into the picture changes few blocks.
   */
  #isStill(picture: LumaPicture): boolean {
    const { enter, tolerance } = this.#limits.frozen;
    if (this.#anchor && changedBlocks(this.#anchor, picture, tolerance) <= enter) return true;
    this.#anchor = picture;
    return false;
  }
}

const NOTHING_SEEN = { occluded: "unknown", moved_view: "unknown", blurred: "unknown" } as const;

function below(value: number, limit: { readonly enter: number; readonly leave: number }): Finding {
  if (value < limit.enter) return "bad";
  return value > limit.leave ? "good" : "between";
}
