import type { Zone } from "@huishi/contracts";
import { footPoint, isInsidePolygon } from "@huishi/kernel";
import type { Track } from "../domain/index.ts";
import { classCode, type OccupancyRow } from "./records.ts";

const MINUTE_MS = 60_000;
/** Between frames further apart than this nobody looked; keyframes come closer together than that. */
const LONGEST_GAP_MS = 15_000;
/** Stands for all objects together. */
const ALL_CLASSES = 0;

interface Sum {
  objectMs: number;
  watchedMs: number;
  objectsMax: number;
}

/** Objects in one zone by class, `ALL_CLASSES` among them. */
type Counts = ReadonlyMap<number, number>;

interface Minute {
  readonly startMs: number;
  readonly zones: Map<string, Map<number, Sum>>;
}

/**
 * How many objects were in each polygon of one camera, minute by minute: what a frame shows holds until the next frame. Only
 * confirmed tracks count, by their foot points; one that is lost just now may be gone.
 */
export class OccupancyRecorder {
  #zones: readonly Zone[];
  #lastMs: number | null = null;
  #last: ReadonlyMap<string, Counts> = new Map();
  #minute: Minute | null = null;

  constructor(zones: readonly Zone[]) {
    this.#zones = polygonsOf(zones);
  }

  /** Zones as they stand from the next frame on. */
  replace(zones: readonly Zone[]): void {
    this.#zones = polygonsOf(zones);
  }

  /** Takes one frame. Returns the rows of the minutes that are over; none for a camera without polygons. */
  update(tracks: readonly Track[], capturedAtMs: number): OccupancyRow[] {
    if (this.#zones.length === 0) return this.finish();
    const rows: OccupancyRow[] = [];
    const lastMs = this.#lastMs;
    if (lastMs !== null && capturedAtMs > lastMs && capturedAtMs - lastMs <= LONGEST_GAP_MS) {
      for (let fromMs = lastMs; fromMs < capturedAtMs;) {
        const toMs = Math.min(capturedAtMs, minuteOf(fromMs) + MINUTE_MS);
        rows.push(...this.#open(fromMs));
        this.#hold(toMs - fromMs);
        fromMs = toMs;
      }
    }
    rows.push(...this.#open(capturedAtMs));
    this.#last = this.#count(tracks);
    this.#lastMs = capturedAtMs;
    this.#hold(0);
    return rows;
  }

  /** The minute that is open, as it stands: the analysis stops. */
  finish(): OccupancyRow[] {
    const rows = this.#minute === null ? [] : rowsOf(this.#minute);
    this.#minute = null;
    this.#lastMs = null;
    this.#last = new Map();
    return rows;
  }

  #open(atMs: number): OccupancyRow[] {
    const startMs = minuteOf(atMs);
    if (this.#minute?.startMs === startMs) return [];
    const rows = this.#minute === null ? [] : rowsOf(this.#minute);
    this.#minute = { startMs, zones: new Map() };
    return rows;
  }

  /** What was seen last stays as it is for so long. */
  #hold(tookMs: number): void {
    const minute = this.#minute;
    if (minute === null) return;
    for (const [zoneId, counts] of this.#last) {
      const sums = minute.zones.get(zoneId) ?? new Map<number, Sum>();
      minute.zones.set(zoneId, sums);
      for (const [code, count] of counts) {
        const sum = sums.get(code) ?? { objectMs: 0, watchedMs: 0, objectsMax: 0 };
        sum.objectMs += count * tookMs;
        if (code === ALL_CLASSES) sum.watchedMs += tookMs;
        sum.objectsMax = Math.max(sum.objectsMax, count);
        sums.set(code, sum);
      }
    }
  }

  #count(tracks: readonly Track[]): Map<string, Counts> {
    const feet = tracks
      .filter((track) => track.state === "confirmed")
      .map((track) => ({ code: classCode(track.objectClass), foot: footPoint(track.box) }));
    return new Map(
      this.#zones.map((zone) => {
        const counts = new Map([[ALL_CLASSES, 0]]);
        for (const { code, foot } of feet) {
          if (!isInsidePolygon(foot, zone.points)) continue;
          counts.set(ALL_CLASSES, (counts.get(ALL_CLASSES) ?? 0) + 1);
          counts.set(code, (counts.get(code) ?? 0) + 1);
        }
        return [zone.id, counts];
      }),
    );
  }
}

const polygonsOf = (zones: readonly Zone[]): Zone[] => zones.filter(({ kind }) => kind === "polygon");

const minuteOf = (atMs: number): number => atMs - (atMs % MINUTE_MS);

function rowsOf({ startMs, zones }: Minute): OccupancyRow[] {
  return [...zones].flatMap(([zoneId, sums]) =>
    [...sums].map(([code, sum]) => ({ minuteMs: startMs, zoneId, classCode: code, ...sum })),
  );
}
