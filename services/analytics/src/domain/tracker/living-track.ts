import type { ObjectClass } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import type { Detection } from "../detection.ts";
import { type Appearance, blend } from "./appearance.ts";
import {
  type Axis,
  type Level,
  correctAxis,
  correctLevel,
  newAxis,
  predictAxis,
  settle,
} from "./motion-model.ts";
import {
  type Measurement,
  type Shift,
  VARIANCE_LOG_H,
  VARIANCE_LOG_W,
  varianceX,
  varianceY,
} from "./measurement.ts";
import { PARAMETERS, sideDriftVariance, velocityVariances } from "./parameters.ts";
import { Stillness } from "./stillness.ts";
import type { Track, TrackState } from "./track.ts";

/** One stray detection must not make a track wild. */
const LARGEST_SURPRISE = 6;

const evidenceOf = ({ score }: Detection, typicalScore: number): number =>
  Math.max(0, score / typicalScore - PARAMETERS.evidenceBase);

/** What a new track takes over from its camera (see CameraHabits). */
interface Habits {
  readonly agility: number;
  readonly typicalScore: number;
}

/** The tracker's working record of one track. */
export class LivingTrack {
  readonly id: number;
  readonly firstSeenMs: number;
  readonly cx: Axis;
  readonly cy: Axis;
  readonly logW: Level;
  readonly logH: Level;
  state: TrackState = "tentative";
  lastSeenMs: number;
  /** Last time that the place was inspected, seen or not. */
  lastInspectedMs: number;
  /** Since when it was looked for in vain; null while it is seen or was not looked for. */
  missedSinceMs: number | null = null;
  /** Frames in a row in which it was looked for in vain. */
  misses = 0;
  observations = 1;
  /** Confident sightings and the sum of their scores. */
  private confident = 1;
  private scoreSum: number;
  lastScore: number;
  objectClass: ObjectClass;
  observed = true;
  /** How much quicker than its class this track is to change its course. */
  agility: number;
  /** Scores above the base, summed up: what makes it believed. */
  private evidence: number;
  /** What it looked like while it stood free; null when no look was taken. */
  appearance: Appearance | null = null;
  private lookedAtMs = -Infinity;
  private unseenSeconds = 0;
  private readonly votes = new Map<ObjectClass, number>();
  private readonly stillness: Stillness;

  constructor(id: number, first: Measurement, capturedAtMs: number, habits: Habits) {
    const { detection, cx, cy, w, h } = first;
    this.agility = habits.agility;
    const speed = velocityVariances(detection.objectClass);
    this.id = id;
    this.firstSeenMs = capturedAtMs;
    this.lastSeenMs = capturedAtMs;
    this.lastInspectedMs = capturedAtMs;
    this.cx = newAxis(cx, varianceX(first), speed.x * w * h * this.agility ** 2);
    this.cy = newAxis(cy, varianceY(first), speed.y * w * h * this.agility ** 2);
    this.logW = { value: Math.log(w), variance: VARIANCE_LOG_W };
    this.logH = { value: Math.log(h), variance: VARIANCE_LOG_H };
    this.scoreSum = detection.score;
    this.evidence = evidenceOf(detection, habits.typicalScore);
    this.lastScore = detection.score;
    this.objectClass = detection.objectClass;
    this.votes.set(detection.objectClass, detection.score);
    this.stillness = new Stillness(cx, cy, capturedAtMs);
  }

  get w(): number {
    return Math.exp(this.logW.value);
  }

  get h(): number {
    return Math.exp(this.logH.value);
  }

  get stationarySinceMs(): number | null {
    return this.stillness.sinceMs;
  }

  /** What it costs a pair that the track has not been seen lately. */
  get unseenCost(): number {
    return Math.min(PARAMETERS.unseenCost * this.unseenSeconds, PARAMETERS.unseenCostMost);
  }

  /** Moves the expectation on by `dt` seconds. */
  predict(dt: number): void {
    const speed = velocityVariances(this.objectClass);
    const area = this.w * this.h * this.liveliness() ** 2;
    predictAxis(this.cx, dt, speed.x * area, PARAMETERS.velocityTimeConstant);
    predictAxis(this.cy, dt, speed.y * area, PARAMETERS.velocityTimeConstant);
    const drift = sideDriftVariance(this.objectClass) * dt;
    this.logW.variance += drift;
    this.logH.variance += drift;
    if (this.stillness.sinceMs !== null) this.rest();
    this.observed = false;
    this.unseenSeconds += dt;
  }

  /** Bounds the doubt about what stood still: however long nobody looks, it is where and as large as it was. */
  private rest(): void {
    settle(this.cx, PARAMETERS.stillSpread * this.w);
    settle(this.cy, PARAMETERS.stillSpread * this.h);
    this.logW.variance = Math.min(this.logW.variance, VARIANCE_LOG_W);
    this.logH.variance = Math.min(this.logH.variance, VARIANCE_LOG_H);
  }

  /** The camera moved: everything is elsewhere in the picture by as much. */
  shift({ x, y }: Shift): void {
    this.cx.position += x;
    this.cy.position += y;
    this.stillness.shift(x, y);
  }

  /** Takes in the detection that was assigned to the track. */
  correct(measured: Measurement, capturedAtMs: number, typicalScore: number): void {
    const { detection, cx, cy, w, h } = measured;
    this.adapt(measured);
    correctAxis(this.cx, cx, varianceX(measured));
    correctAxis(this.cy, cy, varianceY(measured));
    correctLevel(this.logW, Math.log(w), VARIANCE_LOG_W);
    correctLevel(this.logH, Math.log(h), VARIANCE_LOG_H);
    this.observations++;
    if (detection.score >= PARAMETERS.highScore * typicalScore) {
      this.confident++;
      this.scoreSum += detection.score;
    }
    this.evidence += evidenceOf(detection, typicalScore);
    this.lastScore = detection.score;
    this.lastSeenMs = capturedAtMs;
    this.lastInspectedMs = capturedAtMs;
    this.missedSinceMs = null;
    this.misses = 0;
    this.unseenSeconds = 0;
    this.observed = true;
    this.vote(detection);
    this.stillness.update(this.cx.position, this.cy.position, Math.sqrt(this.w * this.h), capturedAtMs);
    if (this.state === "lost") this.state = "confirmed";
    if (this.state === "tentative" && this.evidence >= PARAMETERS.evidenceNeeded) this.state = "confirmed";
  }

  isLookDue(capturedAtMs: number): boolean {
    return this.appearance === null || capturedAtMs - this.lookedAtMs >= PARAMETERS.appearanceEveryMs;
  }

  /** Takes in what it looks like now. */
  learnLook(appearance: Appearance, capturedAtMs: number): void {
    this.appearance = this.appearance === null ? appearance : blend(this.appearance, appearance);
    this.lookedAtMs = capturedAtMs;
  }

  /** The place was inspected and the object not found there. */
  miss(capturedAtMs: number): void {
    this.missedSinceMs ??= capturedAtMs;
    this.misses++;
    this.lastInspectedMs = capturedAtMs;
    const graceMs = this.isPlaced() ? PARAMETERS.graceMs : 0;
    if (this.state === "confirmed" && capturedAtMs - this.lastSeenMs > graceMs) this.state = "lost";
  }

  /** The filtered box, normalised and clipped to the picture. */
  box(aspectRatio: number): Box {
    const w = this.w / aspectRatio;
    const h = this.h;
    const left = Math.max(0, this.cx.position / aspectRatio - w / 2);
    const top = Math.max(0, this.cy.position - h / 2);
    const right = Math.min(1, this.cx.position / aspectRatio + w / 2);
    const bottom = Math.min(1, this.cy.position + h / 2);
    return {
      x: Math.min(left, 1),
      y: Math.min(top, 1),
      w: Math.max(0, right - left),
      h: Math.max(0, bottom - top),
    };
  }

  snapshot(aspectRatio: number): Track {
    return {
      id: this.id,
      objectClass: this.objectClass,
      state: this.state,
      box: this.box(aspectRatio),
      velocity: { x: this.cx.velocity / aspectRatio, y: this.cy.velocity },
      firstSeenMs: this.firstSeenMs,
      lastSeenMs: this.lastSeenMs,
      observations: this.observations,
      scoreMean: this.scoreSum / this.confident,
      lastScore: this.lastScore,
      stationarySinceMs: this.stillness.sinceMs,
      observed: this.observed,
    };
  }

  /** Is it known well enough where it must be? */
  private isPlaced(): boolean {
    return (
      Math.sqrt(this.cx.pp) < PARAMETERS.placedWithin * this.w &&
      Math.sqrt(this.cy.pp) < PARAMETERS.placedWithin * this.h
    );
  }

  /**
   * How far its velocity may stray, as a factor on its class's. What stood for long is likely to stand on: one stray box
   * or a vehicle that passes before it must not take it along.
   */
  private liveliness(): number {
    const { sinceMs } = this.stillness;
    if (sinceMs === null) return this.agility;
    const stoodMs = Math.max(this.lastSeenMs - sinceMs, PARAMETERS.inertiaMs);
    const inertia = PARAMETERS.inertiaMs / stoodMs;
    const factor = PARAMETERS.stillFactor * Math.max(inertia, PARAMETERS.stillFactorLeast);
    return this.unseenSeconds > 0 ? Math.min(factor, PARAMETERS.unseenStillFactor) : this.agility * factor;
  }

  /**
   * Learns how agile the object is: where detections surprise less than expected it is bound closer to its course,
   * and so not mistaken for another one that crosses it; where they surprise more, it is given room. That makes
   * one set of parameters fit strollers and runners, fixed and moving cameras (an adaptive filter on the
   * normalised innovation, Mehra 1970).
   */
  private adapt(measured: Measurement): void {
    const x = (measured.cx - this.cx.position) ** 2 / (this.cx.pp + varianceX(measured));
    const y = (measured.cy - this.cy.position) ** 2 / (this.cy.pp + varianceY(measured));
    const surprise = Math.min(0.5 * (x + y), LARGEST_SURPRISE) - PARAMETERS.expectedSurprise;
    const agility = this.agility * Math.exp(PARAMETERS.agilityRate * surprise);
    this.agility = Math.max(PARAMETERS.agilityLeast, Math.min(PARAMETERS.agilityMost, agility));
  }

  private vote({ objectClass, score }: Detection): void {
    const sum = (this.votes.get(objectClass) ?? 0) + score;
    this.votes.set(objectClass, sum);
    if (sum > (this.votes.get(this.objectClass) ?? 0)) this.objectClass = objectClass;
  }
}
