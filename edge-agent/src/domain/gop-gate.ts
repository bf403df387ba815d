/** Above this many bytes waiting in the connection, media is dropped. */
export const MEDIA_HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** Sending begins again below this, at a keyframe. */
export const MEDIA_LOW_WATER_BYTES = 2 * 1024 * 1024;

export type GateDecision =
  { readonly send: false } | { readonly send: true; readonly discontinuity: boolean };

/**
 * Back-pressure policy of one stream: once a picture had to be dropped, the rest of its group of pictures is
 * useless and goes too. Sending begins again at a keyframe, marked as a discontinuity. Drops are counted;
 * the wait for the first keyframe of a run is none.
 */
export class GopGate {
  #state: "waiting" | "open" | "dropping" = "waiting";
  #hasSent = false;
  #dropped = 0;

  /** Units dropped because the connection was slow or away. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The source starts anew: wait for its first keyframe. */
  restart(): void {
    this.#state = "waiting";
  }

  decide(unit: { readonly keyframe: boolean }, queuedBytes: number, isConnected: boolean): GateDecision {
    if (!isConnected || queuedBytes > MEDIA_HIGH_WATER_BYTES) this.#state = "dropping";
    else if (this.#state === "open") return { send: true, discontinuity: false };
    else if (unit.keyframe && queuedBytes <= MEDIA_LOW_WATER_BYTES) {
      const discontinuity = this.#hasSent || this.#dropped > 0;
      this.#state = "open";
      this.#hasSent = true;
      return { send: true, discontinuity };
    }
    if (this.#state === "dropping") this.#dropped += 1;
    return { send: false };
  }
}
