import type { CameraHabits } from "../tracker/camera-habits.ts";
import { LivingTrack } from "../tracker/living-track.ts";
import { measure } from "../tracker/measurement.ts";
import { PARAMETERS } from "../tracker/parameters.ts";
import type { Track } from "../tracker/track.ts";
import { patienceMs } from "../tracker/tracker.ts";
import type { Sighting, TrackHistory } from "./sighting.ts";
import { unfiltered } from "./unfiltered.ts";

interface Circumstances {
  readonly capturedAtMs: number;
  readonly aspectRatio: number;
  readonly habits: CameraHabits;
  readonly history?: TrackHistory;
}

/**
 * A stored track as it is read again, frame by frame: the tracker's own record of it, fed with the measurements that the
 * stored boxes tell of.
 */
export class ReplayedTrack {
  readonly living: LivingTrack;
  private readonly aspectRatio: number;
  private readonly habits: CameraHabits;
  private readonly firstSeenMs: number;
  /** When it is seen for the last time, as far as the store knows; it may lie ahead. */
  private knownUntilMs: number;
  private clockMs: number;

  constructor(first: Sighting, { capturedAtMs, aspectRatio, habits, history }: Circumstances) {
    this.aspectRatio = aspectRatio;
    this.habits = habits;
    this.firstSeenMs = Math.min(history?.firstSeenMs ?? capturedAtMs, capturedAtMs);
    this.knownUntilMs = Math.max(history?.lastSeenMs ?? capturedAtMs, capturedAtMs);
    // What is stored begins with the frame in which the track was believed; where it was first seen, it was nearby.
    const begunMs = Math.max(this.firstSeenMs, capturedAtMs - PARAMETERS.lostMs);
    this.clockMs = begunMs;
    this.living = new LivingTrack(first.trackId, measure(first, aspectRatio), begunMs, habits);
    this.living.state = "confirmed";
    if (begunMs < capturedAtMs) this.see(first, capturedAtMs);
  }

  /** It is in this frame. */
  see(sighting: Sighting, capturedAtMs: number): void {
    this.moveTo(capturedAtMs);
    const measured = unfiltered(this.living, sighting, this.aspectRatio);
    this.living.correct(measured, capturedAtMs, this.habits.typicalScore);
    const stored = measure(sighting, this.aspectRatio);
    // What is stored is what was said, whatever rounding and the picture's edge did to the way back.
    this.living.cx.position = stored.cx;
    this.living.cy.position = stored.cy;
    this.living.logW.value = Math.log(stored.w);
    this.living.logH.value = Math.log(stored.h);
    // The class that most votes were for is stored with each frame.
    this.living.objectClass = sighting.objectClass;
    this.knownUntilMs = Math.max(this.knownUntilMs, capturedAtMs);
  }

  /** A frame in which it was not found, or not looked for: which of both is not stored. */
  pass(capturedAtMs: number): void {
    this.moveTo(capturedAtMs);
    // What stands still is looked at rarely: it is there as long as it will be seen again.
    if (this.isStill && capturedAtMs <= this.knownUntilMs) return;
    this.living.miss(capturedAtMs);
  }

  isOver(capturedAtMs: number): boolean {
    if (capturedAtMs <= this.knownUntilMs) return false;
    return capturedAtMs - this.living.lastSeenMs > patienceMs(this.living) || this.isOutside();
  }

  get isStill(): boolean {
    return this.living.stationarySinceMs !== null;
  }

  snapshot(): Track {
    return { ...this.living.snapshot(this.aspectRatio), firstSeenMs: this.firstSeenMs };
  }

  private moveTo(capturedAtMs: number): void {
    this.living.predict((capturedAtMs - this.clockMs) / 1000);
    this.clockMs = capturedAtMs;
  }

  /** Has its expected centre left the picture? */
  private isOutside(): boolean {
    const { position: x } = this.living.cx;
    const { position: y } = this.living.cy;
    return !this.living.observed && (x < 0 || x > this.aspectRatio || y < 0 || y > 1);
  }
}
