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
}

/** What a frame tells about a track and the zone: null = nothing, it was not looked at. */
export type Reading = { readonly sinceMs: number } | "outside" | null;

/** A new track on the spot of one that just vanished is taken for the same object from this overlap. */
const SUCCESSOR_IOU = 0.3;

/**
 * Who is in a zone, since when. A stay survives absences of up to `exitMs`: a foot point that flickers over the
 * border, a track that is lost for a moment, a track that was cut and goes on under another id.
 */
export class ZonePresence {
  private readonly exitMs: number;
  private stays = new Map<number, Presence>();

  constructor(exitMs: number) {
    this.exitMs = exitMs;
  }

  /** Takes one frame's readings; returns the stays that this very frame confirms. */
  update(tracks: readonly Track[], read: (track: Track) => Reading, capturedAtMs: number): Presence[] {
    const confirmed: Presence[] = [];
    for (const track of tracks) {
      const reading = read(track);
      if (reading === "outside") continue;
      const stay = this.stays.get(track.id);
      if (reading === null) {
        if (stay !== undefined && track.state !== "lost") stay.lastMs = capturedAtMs;
        continue;
      }
      const current = stay ?? this.begin(track, reading.sinceMs, tracks);
      current.lastMs = capturedAtMs;
      current.box = track.box;
      confirmed.push(current);
    }
    for (const [id, stay] of this.stays) {
      if (stay.lastMs < capturedAtMs && capturedAtMs - stay.lastMs >= this.exitMs) this.stays.delete(id);
    }
    return confirmed;
  }

  /** All stays, also those that were just not confirmed. */
  all(): Presence[] {
    return [...this.stays.values()];
  }

  rebase(capturedAtMs: number): void {
    for (const stay of this.stays.values()) {
      stay.sinceMs = capturedAtMs;
      stay.lastMs = capturedAtMs;
    }
  }

  clear(): void {
    this.stays.clear();
  }

  private begin(track: Track, sinceMs: number, tracks: readonly Track[]): Presence {
    const heir = this.orphanAt(track.box, tracks);
    if (heir !== undefined) this.stays.delete(heir.trackId);
    const stay: Presence = { trackId: track.id, sinceMs, lastMs: sinceMs, box: track.box, triggered: false };
    if (heir !== undefined) {
      stay.sinceMs = Math.min(heir.sinceMs, sinceMs);
      stay.triggered = heir.triggered;
    }
    this.stays.set(track.id, stay);
    return stay;
  }

  /** A stay at this place whose own track is not seen any more. */
  private orphanAt(box: Box, tracks: readonly Track[]): Presence | undefined {
    const seen = new Set(tracks.filter((track) => track.state !== "lost").map((track) => track.id));
    return [...this.stays.values()].find(
      (stay) => !seen.has(stay.trackId) && iou(stay.box, box) >= SUCCESSOR_IOU,
    );
  }
}
