/** Above this many bytes waiting in the connection, media is dropped; on a slow line earlier. */
export const MEDIA_HIGH_WATER_BYTES = 4 * 1024 * 1024;

/** What waits in a connection, and how much may. */
export interface MediaQueue {
  readonly bytes: number;
  /** Sending begins again, at a keyframe, when no more than half of it waits. */
  readonly limitBytes: number;
}

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

  /** Would the unit be sent as far as the queue goes? */
  hasRoom(unit: { readonly keyframe: boolean }, { bytes, limitBytes }: MediaQueue): boolean {
    return this.#state === "open" ? bytes <= limitBytes : unit.keyframe && bytes <= limitBytes / 2;
  }

  decide(unit: { readonly keyframe: boolean }, queue: MediaQueue, isConnected: boolean): GateDecision {
    const hasRoom = this.hasRoom(unit, queue);
    if (!isConnected || queue.bytes > queue.limitBytes) this.#state = "dropping";
    else if (this.#state === "open") return { send: true, discontinuity: false };
    else if (hasRoom) {
      const discontinuity = this.#hasSent || this.#dropped > 0;
      this.#state = "open";
      this.#hasSent = true;
      return { send: true, discontinuity };
    }
    if (this.#state === "dropping") this.#dropped += 1;
    return { send: false };
  }
}
