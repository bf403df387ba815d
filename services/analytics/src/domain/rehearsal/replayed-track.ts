import type { ObjectClass } from "@huishi/contracts";
import type { Box, Point } from "@huishi/kernel";
import { patienceMs } from "../tracker/tracker.ts";
import { PARAMETERS } from "../tracker/parameters.ts";
import { Stillness } from "../tracker/stillness.ts";
import type { Track, TrackState } from "../tracker/track.ts";

/** One object in one frame, as it is stored: the tracker's filtered box, the score of that frame's detection. */
export interface Sighting {
  readonly trackId: number;
  readonly objectClass: ObjectClass;
  readonly score: number;
  readonly box: Box;
}

/** What the store knows about a track as a whole. */
export interface TrackHistory {
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

/** How much of a new difference quotient goes into the velocity; the stored boxes are filtered already. */
const VELOCITY_GAIN = 0.5;

/** A stored track as it is read again, frame by frame. */
export class ReplayedTrack {
  readonly id: number;
  readonly firstSeenMs: number;
  /** When it is seen for the last time, as far as the store knows; it may lie ahead. */
  private knownUntilMs: number;
  private readonly aspectRatio: number;
  private readonly stillness: Stillness;
  private objectClass: ObjectClass;
  private state: TrackState = "confirmed";
  private box: Box;
  private velocity: Point = { x: 0, y: 0 };
  private lastSeenMs: number;
  private observations: number;
  private confident = 0;
  private scoreSum = 0;
  private lastScore: number;
  private observed = true;

  constructor(
    first: Sighting,
    seen: { readonly capturedAtMs: number; readonly aspectRatio: number; readonly history?: TrackHistory },
  ) {
    const { capturedAtMs, aspectRatio, history } = seen;
    this.id = first.trackId;
    this.aspectRatio = aspectRatio;
    this.firstSeenMs = Math.min(history?.firstSeenMs ?? capturedAtMs, capturedAtMs);
    this.knownUntilMs = Math.max(history?.lastSeenMs ?? capturedAtMs, capturedAtMs);
    this.objectClass = first.objectClass;
    this.box = first.box;
    this.lastSeenMs = capturedAtMs;
    this.lastScore = first.score;
    // What is stored begins with the frame in which the tracker believed the track: at its second sighting or later.
    this.observations = this.firstSeenMs < capturedAtMs ? 1 : 0;
    const centre = this.centre(first.box);
    this.stillness = new Stillness(centre.x, centre.y, this.firstSeenMs);
    this.take(first, capturedAtMs);
  }

  see(sighting: Sighting, capturedAtMs: number): void {
    const seconds = (capturedAtMs - this.lastSeenMs) / 1000;
    if (seconds > 0) {
      const before = middle(this.box);
      const now = middle(sighting.box);
      this.velocity = {
        x: this.velocity.x + VELOCITY_GAIN * ((now.x - before.x) / seconds - this.velocity.x),
        y: this.velocity.y + VELOCITY_GAIN * ((now.y - before.y) / seconds - this.velocity.y),
      };
    }
    this.take(sighting, capturedAtMs);
  }

  /** A frame in which it was not found, or not looked for: which of both is not stored. */
  pass(capturedAtMs: number): void {
    this.observed = false;
    // What stands still is looked at rarely: it is there as long as it will be seen again.
    if (this.isStill && capturedAtMs <= this.knownUntilMs) return;
    if (capturedAtMs - this.lastSeenMs > PARAMETERS.graceMs) this.state = "lost";
  }

  isOver(capturedAtMs: number): boolean {
    if (capturedAtMs <= this.knownUntilMs) return false;
    const { lastSeenMs } = this;
    const patience = patienceMs({ stationarySinceMs: this.stillness.sinceMs, lastSeenMs });
    return capturedAtMs - lastSeenMs > patience || this.isOutside(capturedAtMs);
  }

  get isStill(): boolean {
    return this.stillness.sinceMs !== null;
  }

  snapshot(capturedAtMs: number): Track {
    return {
      id: this.id,
      objectClass: this.objectClass,
      state: this.state,
      box: this.observed || this.isStill ? this.box : this.expected(capturedAtMs),
      velocity: this.velocity,
      firstSeenMs: this.firstSeenMs,
      lastSeenMs: this.lastSeenMs,
      observations: this.observations,
      scoreMean: this.confident === 0 ? this.lastScore : this.scoreSum / this.confident,
      lastScore: this.lastScore,
      stationarySinceMs: this.stillness.sinceMs,
      observed: this.observed,
    };
  }

  private take(sighting: Sighting, capturedAtMs: number): void {
    this.box = sighting.box;
    this.objectClass = sighting.objectClass;
    this.lastScore = sighting.score;
    this.lastSeenMs = capturedAtMs;
    this.knownUntilMs = Math.max(this.knownUntilMs, capturedAtMs);
    this.observations++;
    this.observed = true;
    this.state = "confirmed";
    if (sighting.score >= PARAMETERS.highScore) {
      this.confident++;
      this.scoreSum += sighting.score;
    }
    const centre = this.centre(sighting.box);
    const size = Math.sqrt(sighting.box.w * this.aspectRatio * sighting.box.h);
    this.stillness.update(centre.x, centre.y, Math.max(size, 1e-6), capturedAtMs);
  }

  /** In picture heights on both axes, as the tracker counts. */
  private centre(box: Box): Point {
    const { x, y } = middle(box);
    return { x: x * this.aspectRatio, y };
  }

  /** Where it should be by now: its velocity fades as the tracker's does. */
  private expected(capturedAtMs: number): Box {
    const tau = PARAMETERS.velocityTimeConstant;
    const seconds = tau * (1 - Math.exp(-(capturedAtMs - this.lastSeenMs) / 1000 / tau));
    const { x, y, w, h } = this.box;
    return clipped({ x: x + this.velocity.x * seconds, y: y + this.velocity.y * seconds, w, h });
  }

  private isOutside(capturedAtMs: number): boolean {
    if (this.observed || this.isStill) return false;
    const { w, h } = this.expected(capturedAtMs);
    // Less than half of it is left in the picture: its centre is out.
    return w < this.box.w / 2 || h < this.box.h / 2;
  }
}

function middle(box: Box): Point {
  return { x: box.x + box.w / 2, y: box.y + box.h / 2 };
}

function clipped({ x, y, w, h }: Box): Box {
  const left = Math.min(Math.max(x, 0), 1);
  const top = Math.min(Math.max(y, 0), 1);
  return {
    x: left,
    y: top,
    w: Math.max(0, Math.min(x + w, 1) - left),
    h: Math.max(0, Math.min(y + h, 1) - top),
  };
}
