/** Rows of perception as they are stored: narrow numbers, fractions scaled by 10000 (0001_initial.sql). */
import { OBJECT_CLASSES, type ObjectClass } from "@huishi/contracts";
import type { Track } from "../domain/index.ts";

/** One object in one frame. */
export interface DetectionRow {
  readonly capturedAtMs: number;
  readonly cameraNo: number;
  readonly trackId: number;
  readonly classCode: number;
  readonly score: number;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Milliseconds since the track was first seen, then the foot point. */
export type PathPoint = readonly [ms: number, x: number, y: number];

/** One object over time, so far. */
export interface TrackRow {
  readonly id: number;
  readonly cameraNo: number;
  readonly classCode: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly observations: number;
  readonly score: number;
  readonly path: readonly PathPoint[];
  /** It will not go on. */
  readonly ended: boolean;
}

/** What one look at a zone adds to a minute of it; a minute may have several. */
export interface OccupancyRow {
  readonly minuteMs: number;
  readonly zoneId: string;
  /** 0: all objects together. */
  readonly classCode: number;
  /** Sum over objects of their time in the zone. */
  readonly objectMs: number;
  /** How much of the minute was looked at; 0 in rows of one class. */
  readonly watchedMs: number;
  /** At once. */
  readonly objectsMax: number;
}

/** One crossing of a counting line. */
export interface CrossingRow {
  readonly crossedAtMs: number;
  readonly ruleId: string;
  readonly cameraNo: number;
  readonly trackId: number;
  readonly classCode: number;
  readonly leftToRight: boolean;
}

/** A fraction of 0..1 as the database keeps it. */
export function scaled(fraction: number): number {
  return Math.round(Math.min(Math.max(fraction, 0), 1) * 10_000);
}

export function classCode(objectClass: ObjectClass): number {
  return OBJECT_CLASSES[objectClass];
}

/** The row of a track that was seen in this very frame. */
export function detectionRow(track: Track, cameraNo: number, capturedAtMs: number): DetectionRow {
  return {
    capturedAtMs,
    cameraNo,
    trackId: track.id,
    classCode: classCode(track.objectClass),
    score: scaled(track.lastScore),
    x: scaled(track.box.x),
    y: scaled(track.box.y),
    w: scaled(track.box.w),
    h: scaled(track.box.h),
  };
}
