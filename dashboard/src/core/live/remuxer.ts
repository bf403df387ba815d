/**
 * Turns the access units of one stream into fragments for Media Source Extensions, on a time line of its own
 * that never jumps: a gap in the source would be a hole in the buffer, before which a <video> waits for ever.
 * What was captured when travels beside each fragment.
 */
import type { AccessUnit } from "@huishi/contracts";
import { buildInitSegment, buildMediaSegment, extractParameterSets, parseSps } from "@huishi/media";

const TIMESCALE = 90_000;
const TICKS_PER_MS = TIMESCALE / 1_000;
/** Between two pictures of one run; longer is a gap and is closed. */
const LONGEST_STEP_MS = 2_000;
/** A reordered picture (B-frame) lies at most this far back. */
const LONGEST_REORDER_MS = 500;
const FIRST_DURATION_MS = 40;

export interface MediaSegment {
  /** RFC 6381 codec and the init segment, when they are new to the stream. */
  readonly init: { readonly codec: string; readonly bytes: Uint8Array } | null;
  readonly bytes: Uint8Array;
  readonly keyframe: boolean;
  /** Presentation time on the fragment's own time line, seconds. */
  readonly mediaTimeS: number;
  readonly durationMs: number;
  readonly capturedAtMs: number;
}

/** Why a unit gave no fragment. */
export type RemuxDrop = "waits_for_keyframe" | "codec_unsupported" | "damaged";
export type RemuxResult = MediaSegment | { readonly dropped: RemuxDrop };

export class Remuxer {
  #sequence = 0;
  #parameterKey = "";
  #hasInit = false;
  #previous: { ptsMs: number; unitNumber: number } | null = null;
  /** Presentation time of the previous unit on our time line, ms. */
  #timeMs = 0;
  #decodeMs = -1;
  #durationMs = FIRST_DURATION_MS;

  /** Takes one unit in the order of arrival. Joins at a keyframe, and again after every gap. */
  push(unit: AccessUnit): RemuxResult {
    if (unit.codec !== "h264") return { dropped: "codec_unsupported" };
    const skipped = this.#previous !== null && unit.unitNumber !== (this.#previous.unitNumber + 1) >>> 0;
    if (!unit.keyframe && (!this.#hasInit || unit.discontinuity || skipped)) {
      this.#hasInit = false;
      this.#previous = null;
      return { dropped: "waits_for_keyframe" };
    }
    if (unit.discontinuity || skipped) this.#previous = null;
    try {
      return this.#remux(unit);
    } catch {
      this.#hasInit = false;
      this.#parameterKey = "";
      this.#previous = null;
      return { dropped: "damaged" };
    }
  }

  #remux(unit: AccessUnit): RemuxResult {
    const init = unit.keyframe ? this.#newInit(unit.data) : null;
    if (!init && !this.#parameterKey) return { dropped: "waits_for_keyframe" };
    this.#hasInit = true;
    this.#advance(unit.ptsMs);
    this.#previous = { ptsMs: unit.ptsMs, unitNumber: unit.unitNumber };
    this.#decodeMs = Math.max(this.#timeMs, this.#decodeMs + 1 / TICKS_PER_MS);
    const bytes = buildMediaSegment({
      sequence: ++this.#sequence,
      decodeTime: Math.round(this.#decodeMs * TICKS_PER_MS),
      compositionOffset: Math.round((this.#timeMs - this.#decodeMs) * TICKS_PER_MS),
      duration: Math.round(this.#durationMs * TICKS_PER_MS),
      keyframe: unit.keyframe,
      annexB: unit.data,
    });
    return {
      init,
      bytes,
      keyframe: unit.keyframe,
      mediaTimeS: this.#timeMs / 1_000,
      durationMs: this.#durationMs,
      capturedAtMs: unit.capturedAtMs,
    };
  }

  /** The init segment when the keyframe brings other parameter sets than the last one. */
  #newInit(annexB: Uint8Array): MediaSegment["init"] {
    const sets = extractParameterSets(annexB);
    if (!sets) return null;
    const key = `${sets.sps.join()}/${sets.pps.join()}`;
    if (key === this.#parameterKey) return null;
    this.#parameterKey = key;
    return {
      codec: parseSps(sets.sps).codecString,
      bytes: buildInitSegment({ ...sets, timescale: TIMESCALE }),
    };
  }

  #advance(ptsMs: number): void {
    if (!this.#previous) {
      this.#timeMs = this.#decodeMs < 0 ? 0 : this.#decodeMs + this.#durationMs;
      return;
    }
    // Presentation times wrap at 2^32 ms: the difference is taken as a signed 32-bit number.
    const stepMs = (ptsMs - this.#previous.ptsMs) | 0;
    if (stepMs > 0 && stepMs <= LONGEST_STEP_MS) {
      this.#timeMs += stepMs;
      this.#durationMs += (Math.min(stepMs, 1_000) - this.#durationMs) * 0.2;
    } else if (stepMs < 0 && stepMs >= -LONGEST_REORDER_MS) {
      this.#timeMs = Math.max(0, this.#timeMs + stepMs);
    } else {
      this.#timeMs = this.#decodeMs + this.#durationMs;
    }
  }
}
