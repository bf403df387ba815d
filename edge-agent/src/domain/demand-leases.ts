import {
  DEMAND_LINGER_MS,
  type MediaDemand,
  type Sampling,
  type StreamKey,
  type StreamProfile,
} from "@huishi/contracts";

const PROFILES: readonly StreamProfile[] = ["main", "sub"];

/** A stream that is wanted, and how much of it. */
export interface WantedStream extends StreamKey {
  readonly sampling: Sampling;
}

/**
 * Which streams are wanted now. A demand counts for its lease; a stream whose demand ended goes on for the
 * linger, so that a flick between tiles costs no reconnect.
 */
export class DemandLeases {
  readonly #lingerMs: number;
  /** When each stream stops being wanted, linger included; by `camera/profile`. */
  readonly #endsAtMs = new Map<string, WantedStream & { endsAtMs: number }>();

  constructor(lingerMs: number = DEMAND_LINGER_MS) {
    this.#lingerMs = lingerMs;
  }

  /**
   * Takes a demand as the camera's whole demand. A retained one was issued before we connected: its age is
   * taken off the lease, so that a centre that died long ago does not start every camera.
   */
  apply(cameraId: string, demand: MediaDemand | null, nowMs: number, isRetained: boolean): void {
    for (const profile of PROFILES) {
      const asked = demand?.streams.find((stream) => stream.profile === profile);
      const ageMs = isRetained && demand ? Math.max(0, nowMs - demand.issuedAtMs) : 0;
      const leaseMs = asked ? asked.leaseMs - ageMs : 0;
      if (asked && leaseMs > 0) {
        const sampling = asked.sampling ?? { kind: "all" };
        this.#grant({ cameraId, profile, sampling }, nowMs + leaseMs + this.#lingerMs);
      } else this.#letLinger({ cameraId, profile }, nowMs);
    }
  }

  /** The streams to send now, and when to ask again at the latest (null when nothing is wanted). */
  wanted(nowMs: number): { streams: WantedStream[]; nextEndMs: number | null } {
    const streams: WantedStream[] = [];
    let nextEndMs: number | null = null;
    for (const [id, { cameraId, profile, sampling, endsAtMs }] of this.#endsAtMs) {
      if (endsAtMs <= nowMs) {
        this.#endsAtMs.delete(id);
        continue;
      }
      streams.push({ cameraId, profile, sampling });
      nextEndMs = nextEndMs === null ? endsAtMs : Math.min(nextEndMs, endsAtMs);
    }
    return { streams, nextEndMs };
  }

  #grant(key: WantedStream, endsAtMs: number): void {
    this.#endsAtMs.set(`${key.cameraId}/${key.profile}`, { ...key, endsAtMs });
  }

  #letLinger(key: StreamKey, nowMs: number): void {
    const running = this.#endsAtMs.get(`${key.cameraId}/${key.profile}`);
    if (running) running.endsAtMs = Math.min(running.endsAtMs, nowMs + this.#lingerMs);
  }
}
