import { type Box, iou } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";

/** One object's stay in a zone. */
export interface Presence {
  trackId: number;
  /** When the condition began to hold for it. */
  sinceMs: number;
  /** When it last held. */
  lastMs: number;
  /** Its last box in the zone. */
  box: Box;
  /** It has already given an occurrence. */
  triggered: boolean;
  /** It was seen elsewhere since it was last confirmed. */
  outside: boolean;
  /** How long it has been in the zone, without the times in which it was seen elsewhere. */
  heldMs: number;
  /** Up to when `heldMs` counts. */
  countedMs: number;
}

/** What a frame tells about a track and the zone: null = nothing, it was not looked at. */
export type Reading = { readonly sinceMs: number } | "outside" | null;

/** Is the track the object of a stay whose own track is gone? */
export type Succession = (stay: Presence, track: Track, capturedAtMs: number) => boolean;

/** A new track on the spot of one that just vanished is taken for the same object from this overlap. */
const SUCCESSOR_IOU = 0.3;
const onTheSpot: Succession = (stay, track) => iou(stay.box, track.box) >= SUCCESSOR_IOU;

/**
 * Who is in a zone, since when. A stay survives absences of up to `exitMs`: a foot point that flickers over the
 * border, a track that is lost for a moment, a track that was cut and goes on under another id.
 */
export class ZonePresence {
  private readonly exitMs: number;
  private readonly succeeds: Succession;
  private stays = new Map<number, Presence>();

  constructor(exitMs: number, succeeds: Succession = onTheSpot) {
    this.exitMs = exitMs;
    this.succeeds = succeeds;
  }

  /** Takes one frame's readings; returns the stays that this very frame confirms. */
  update(tracks: readonly Track[], read: (track: Track) => Reading, capturedAtMs: number): Presence[] {
    const confirmed: Presence[] = [];
    for (const track of tracks) {
      const reading = read(track);
      const stay = this.stays.get(track.id);
      if (reading === "outside") {
        if (stay !== undefined) stay.outside = true;
      } else if (reading === null) {
        if (stay !== undefined && track.state !== "lost") stay.lastMs = capturedAtMs;
      } else {
        const current = stay ?? this.begin(track, { tracks, sinceMs: reading.sinceMs, capturedAtMs });
        confirm(current, track, capturedAtMs);
        confirmed.push(current);
      }
    }
    for (const [id, stay] of this.stays) {
      if (stay.lastMs < capturedAtMs && capturedAtMs - stay.lastMs >= this.exitMs) this.stays.delete(id);
    }
    return confirmed;
  }

  /** Is somebody there who has given an occurrence, or was he a moment ago? */
  hasTriggered(): boolean {
    for (const stay of this.stays.values()) if (stay.triggered) return true;
    return false;
  }

  rebase(capturedAtMs: number): void {
    for (const stay of this.stays.values()) {
      stay.sinceMs = capturedAtMs;
      stay.lastMs = capturedAtMs;
      stay.countedMs = capturedAtMs;
      stay.heldMs = 0;
    }
  }

  clear(): void {
    this.stays.clear();
  }

  private begin(
    track: Track,
    frame: { readonly tracks: readonly Track[]; readonly sinceMs: number; readonly capturedAtMs: number },
  ): Presence {
    const { sinceMs, capturedAtMs } = frame;
    const heir = this.orphanOf(track, frame.tracks, capturedAtMs);
    if (heir !== undefined) this.stays.delete(heir.trackId);
    const stay: Presence = {
      trackId: track.id,
      sinceMs: Math.min(heir?.sinceMs ?? sinceMs, sinceMs),
      lastMs: sinceMs,
      box: track.box,
      triggered: heir?.triggered ?? false,
      outside: false,
      heldMs: heir?.heldMs ?? 0,
      countedMs: heir?.countedMs ?? capturedAtMs,
    };
    this.stays.set(track.id, stay);
    return stay;
  }

  /** The stay that this track goes on with, if its own track is not seen any more. */
  private orphanOf(track: Track, tracks: readonly Track[], capturedAtMs: number): Presence | undefined {
    if (this.stays.size === 0) return undefined;
    const seen = new Set(tracks.filter((one) => one.state !== "lost").map((one) => one.id));
    for (const stay of this.stays.values()) {
      if (!seen.has(stay.trackId) && this.succeeds(stay, track, capturedAtMs)) return stay;
    }
    return undefined;
  }
}

function confirm(stay: Presence, track: Track, capturedAtMs: number): void {
  if (!stay.outside) stay.heldMs += capturedAtMs - stay.countedMs;
  stay.outside = false;
  stay.countedMs = capturedAtMs;
  stay.lastMs = capturedAtMs;
  stay.box = track.box;
}
