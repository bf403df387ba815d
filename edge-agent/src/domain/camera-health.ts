import { CAMERA_FAULTS, type CameraCondition, type CameraFault } from "@huishi/contracts";

/** This many checks in a row must fail before a camera counts as unreachable. */
const MISSES_BEFORE_UNREACHABLE = 2;

export interface ConditionChange {
  readonly condition: CameraCondition;
  readonly code: string | null;
  /** What is wrong while pictures come, in the order of CAMERA_FAULTS; null: not known. */
  readonly faults: readonly HeldFault[] | null;
}

export interface HeldFault {
  readonly fault: CameraFault;
  readonly sinceMs: number;
}

/**
 * What is known of one camera, boiled down to one condition. Frames that flow are the best proof; a refused
 * password outweighs everything until a sign-in works again.
 */
export class CameraHealth {
  #authCode: string | null = null;
  #misses = 0;
  #isReachable: boolean | null = null;
  #missCode: string | null = null;
  readonly #streams = new Map<string, { flowing: boolean; code: string | null }>();
  readonly #faults = new Map<string, readonly HeldFault[]>();
  #current: ConditionChange | null = null;

  get current(): ConditionChange | null {
    return this.#current;
  }

  /** The camera answered (and accepted us where it asked). */
  answered(): ConditionChange | null {
    this.#misses = 0;
    this.#isReachable = true;
    this.#missCode = null;
    this.#authCode = null;
    return this.#settle();
  }

  /** A check got no answer, or a wrong one. */
  missed(code: string): ConditionChange | null {
    this.#misses += 1;
    this.#missCode = code;
    if (this.#misses >= MISSES_BEFORE_UNREACHABLE) this.#isReachable = false;
    return this.#settle();
  }

  refusedSignIn(code: string): ConditionChange | null {
    this.#authCode = code;
    return this.#settle();
  }

  framesFlow(stream: string): ConditionChange | null {
    this.#streams.set(stream, { flowing: true, code: null });
    this.#misses = 0;
    this.#isReachable = true;
    this.#authCode = null;
    return this.#settle();
  }

  /** A wanted stream gives no pictures. */
  framesStopped(stream: string, code: string): ConditionChange | null {
    this.#streams.set(stream, { flowing: false, code });
    return this.#settle();
  }

  /** Nobody wants the stream any longer. */
  streamEnded(stream: string): ConditionChange | null {
    this.#streams.delete(stream);
    return this.#settle();
  }

  /** What one judge (pictures, clock) finds now; an empty list: nothing is wrong. */
  found(judge: string, faults: readonly HeldFault[]): ConditionChange | null {
    this.#faults.set(judge, faults);
    return this.#settle();
  }

  /** The judge no longer looks: what it said is not known any more. */
  unknown(judge: string): ConditionChange | null {
    this.#faults.delete(judge);
    return this.#settle();
  }

  #settle(): ConditionChange | null {
    const next = this.#judge();
    if (next === null) return null;
    if (this.#current && isSame(next, this.#current)) return null;
    this.#current = next;
    return next;
  }

  #judge(): ConditionChange | null {
    const failed = (condition: CameraCondition, code: string | null): ConditionChange => ({
      condition,
      code,
      faults: null,
    });
    if (this.#authCode !== null) return failed("auth_failed", this.#authCode);
    const streams = [...this.#streams.values()];
    if (streams.some((stream) => stream.flowing)) return this.#answering();
    if (this.#isReachable === false) return failed("unreachable", this.#missCode);
    const silent = streams.find((stream) => stream.code !== null);
    if (silent) return failed("no_frames", silent.code);
    return this.#isReachable ? this.#answering() : null;
  }

  #answering(): ConditionChange {
    if (this.#faults.size === 0) return { condition: "online", code: null, faults: null };
    const faults = [...this.#faults.values()].flat();
    const sorted = [...faults].sort(
      (a, b) => CAMERA_FAULTS.indexOf(a.fault) - CAMERA_FAULTS.indexOf(b.fault),
    );
    return { condition: sorted.length > 0 ? "degraded" : "online", code: null, faults: sorted };
  }
}

function isSame(a: ConditionChange, b: ConditionChange): boolean {
  if (a.condition !== b.condition || a.code !== b.code) return false;
  const names = ({ faults }: ConditionChange): string => (faults ?? []).map(({ fault }) => fault).join(" ");
  return names(a) === names(b);
}
