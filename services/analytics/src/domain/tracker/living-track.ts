import type { ObjectClass } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import type { Detection } from "../detection.ts";
import { type Axis, type Level, correctAxis, correctLevel, newAxis, predictAxis } from "./motion-model.ts";
import { PARAMETERS, velocityVariances } from "./parameters.ts";
import { Stillness } from "./stillness.ts";
import type { Track, TrackState } from "./track.ts";

/** A detection in the tracker's own plane: centre and sides in picture heights, so that both directions are alike. */
export interface Measurement {
  readonly detection: Detection;
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

const SMALLEST_SIDE = 1e-4;

export function measure(detection: Detection, aspectRatio: number): Measurement {
  const { x, y, w, h } = detection.box;
  return {
    detection,
    cx: (x + w / 2) * aspectRatio,
    cy: y + h / 2,
    w: Math.max(w * aspectRatio, SMALLEST_SIDE),
    h: Math.max(h, SMALLEST_SIDE),
  };
}

/** Variances of a measurement's centre and of the logarithms of its sides. */
export const varianceX = ({ w }: Measurement): number => (PARAMETERS.centreNoiseX * w) ** 2;
export const varianceY = ({ h }: Measurement): number => (PARAMETERS.centreNoiseY * h) ** 2;
export const varianceW = (): number => PARAMETERS.widthNoise ** 2;
export const varianceH = (): number => PARAMETERS.heightNoise ** 2;

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
  scoreSum: number;
  lastScore: number;
  objectClass: ObjectClass;
  observed = true;
  unseenS = 0;
  private readonly votes = new Map<ObjectClass, number>();
  private readonly stillness: Stillness;

  constructor(id: number, first: Measurement, capturedAtMs: number) {
    const { detection, cx, cy, w, h } = first;
    const speed = velocityVariances(detection.objectClass);
    this.id = id;
    this.firstSeenMs = capturedAtMs;
    this.lastSeenMs = capturedAtMs;
    this.lastInspectedMs = capturedAtMs;
    this.cx = newAxis(cx, varianceX(first), speed.x * w * h);
    this.cy = newAxis(cy, varianceY(first), speed.y * w * h);
    this.logW = { value: Math.log(w), variance: varianceW() };
    this.logH = { value: Math.log(h), variance: varianceH() };
    this.scoreSum = detection.score;
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

  /** Moves the expectation on by `dt` seconds. */
  predict(dt: number): void {
    const speed = velocityVariances(this.objectClass);
    const area = this.w * this.h;
    predictAxis(this.cx, dt, speed.x * area, PARAMETERS.velocityTimeConstant);
    predictAxis(this.cy, dt, speed.y * area, PARAMETERS.velocityTimeConstant);
    const drift = PARAMETERS.sideDrift ** 2 * dt;
    this.logW.variance += drift;
    this.logH.variance += drift;
    this.observed = false;
    this.unseenS += dt;
  }

  /** Takes in the detection that was assigned to the track. */
  correct(measured: Measurement, capturedAtMs: number): void {
    const { detection, cx, cy, w, h } = measured;
    correctAxis(this.cx, cx, varianceX(measured));
    correctAxis(this.cy, cy, varianceY(measured));
    correctLevel(this.logW, Math.log(w), varianceW());
    correctLevel(this.logH, Math.log(h), varianceH());
    this.observations++;
    this.scoreSum += detection.score;
    this.lastScore = detection.score;
    this.lastSeenMs = capturedAtMs;
    this.lastInspectedMs = capturedAtMs;
    this.missedSinceMs = null;
    this.misses = 0;
    this.unseenS = 0;
    this.observed = true;
    this.vote(detection);
    this.stillness.update(this.cx.position, this.cy.position, Math.sqrt(this.w * this.h), capturedAtMs);
    if (this.state === "lost") this.state = "confirmed";
    if (this.state === "tentative" && this.scoreSum >= PARAMETERS.confirmScoreSum) this.state = "confirmed";
  }

  /** The place was inspected and the object not found there. */
  miss(capturedAtMs: number): void {
    this.missedSinceMs ??= capturedAtMs;
    this.misses++;
    this.lastInspectedMs = capturedAtMs;
    if (this.state === "confirmed") this.state = "lost";
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
      scoreMean: this.scoreSum / this.observations,
      lastScore: this.lastScore,
      stationarySinceMs: this.stillness.sinceMs,
      observed: this.observed,
    };
  }

  private vote({ objectClass, score }: Detection): void {
    const sum = (this.votes.get(objectClass) ?? 0) + score;
    this.votes.set(objectClass, sum);
    if (sum > (this.votes.get(this.objectClass) ?? 0)) this.objectClass = objectClass;
  }
}
