/** How a live player stays at the live edge (facts: seek when the lag passes 1 s, else play a little faster). */
export interface PlaybackPosition {
  readonly currentTimeS: number;
  readonly bufferedEndS: number;
  /** Typical time between two frames; slow streams need a longer cushion. */
  readonly frameDurationMs: number;
}

export type LatencyAction =
  { readonly kind: "seek"; readonly toS: number } | { readonly kind: "rate"; readonly playbackRate: number };

const SEEK_LAG_S = 1;

/** The cushion that playback keeps ahead of it: two frames, between 80 and 400 ms. */
export function targetLagS(frameDurationMs: number): number {
  return Math.min(0.4, Math.max(0.08, (2 * frameDurationMs) / 1_000));
}

/** What to do now about the distance between the picture and the newest frame. */
export function latencyAction({
  currentTimeS,
  bufferedEndS,
  frameDurationMs,
}: PlaybackPosition): LatencyAction {
  const lagS = bufferedEndS - currentTimeS;
  const targetS = targetLagS(frameDurationMs);
  if (lagS > SEEK_LAG_S + targetS || lagS < -0.05)
    return { kind: "seek", toS: Math.max(0, bufferedEndS - targetS) };
  const excessS = lagS - targetS;
  if (excessS > 0.4) return { kind: "rate", playbackRate: 1.08 };
  if (excessS > 0.2) return { kind: "rate", playbackRate: 1.05 };
  if (excessS > 0.08) return { kind: "rate", playbackRate: 1.03 };
  return { kind: "rate", playbackRate: 1 };
}
