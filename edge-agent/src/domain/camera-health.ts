import type { CameraCondition } from "@huishi/contracts";

/** This many checks in a row must fail before a camera counts as unreachable. */
const MISSES_BEFORE_UNREACHABLE = 2;

export interface ConditionChange {
  readonly condition: CameraCondition;
  readonly code: string | null;
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

  #settle(): ConditionChange | null {
    const next = this.#judge();
    if (next === null) return null;
    if (next.condition === this.#current?.condition && next.code === this.#current.code) return null;
    this.#current = next;
    return next;
  }

  #judge(): ConditionChange | null {
    if (this.#authCode !== null) return { condition: "auth_failed", code: this.#authCode };
    const streams = [...this.#streams.values()];
    if (streams.some((stream) => stream.flowing)) return { condition: "online", code: null };
    if (this.#isReachable === false) return { condition: "unreachable", code: this.#missCode };
    const silent = streams.find((stream) => stream.code !== null);
    if (silent) return { condition: "no_frames", code: silent.code };
    return this.#isReachable ? { condition: "online", code: null } : null;
  }
}
