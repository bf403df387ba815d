/** The table of analysed cameras: what each costs, and how old what is known of it is. Pure. */
import type { AnalysedCamera, AnalyticsProcess, Sampling } from "@huishi/contracts";

/** A process that has not said anything for three of its beats is not shown as if it were running. */
const PROCESS_STALE_MS = 15_000;
/** Keyframes may be ten seconds apart. */
const CAMERA_STALE_MS = 20_000;

type CameraRowState = "running" | "stale" | "starting" | "none";

export interface CameraRow {
  readonly cameraId: string;
  readonly instanceId: string;
  readonly name: string;
  readonly sampling: Sampling;
  readonly state: CameraRowState;
  /** Since its last analysed frame; null before the first. */
  readonly lastAgeMs: number | null;
  readonly frames: number;
  readonly drops: number;
  /** Milliseconds of work a frame, all stages together; null before the first frame. */
  readonly costMs: number | null;
  /** Classes that its rules wait for and its model never reports. */
  readonly unknownClasses: readonly string[];
  /** The same by stage, in order. */
  readonly stageMs: AnalysedCamera["stageMs"];
  /** Milliseconds of work a second; null where the number of frames a second is not fixed. */
  readonly loadMs: number | null;
}

export type SortKey = "name" | "lastAgeMs" | "frames" | "drops" | "costMs" | "loadMs";

export const isStale = ({ updatedAtMs }: Pick<AnalyticsProcess, "updatedAtMs">, nowMs: number): boolean =>
  nowMs - updatedAtMs > PROCESS_STALE_MS;

/** @param nowMs the server's time: ages go on while no answer comes */
export function cameraRows(
  processes: readonly AnalyticsProcess[],
  names: ReadonlyMap<string, string>,
  nowMs: number,
): CameraRow[] {
  return processes.flatMap((process) =>
    process.cameras.map((camera) => {
      const { cameraId, sampling, lastCapturedAtMs, stageMs } = camera;
      const lastAgeMs = lastCapturedAtMs === null ? null : Math.max(0, nowMs - lastCapturedAtMs);
      const costMs = stageMs.length === 0 ? null : stageMs.reduce((sum, { meanMs }) => sum + meanMs, 0);
      return {
        cameraId,
        instanceId: process.instanceId,
        name: names.get(cameraId) ?? cameraId,
        sampling,
        state: stateOf({ isProcessStale: isStale(process, nowMs), isRunning: camera.isRunning, lastAgeMs }),
        lastAgeMs,
        frames: camera.framesAnalysed,
        drops: camera.samplesDropped,
        costMs,
        unknownClasses: [...new Set((camera.ruleFaults ?? []).flatMap(({ unknown }) => unknown))],
        stageMs,
        loadMs: costMs === null || sampling.kind !== "fps" ? null : costMs * sampling.fps,
      };
    }),
  );
}

function stateOf(known: {
  readonly isProcessStale: boolean;
  readonly isRunning: boolean;
  readonly lastAgeMs: number | null;
}): CameraRowState {
  if (known.isProcessStale) return "stale";
  if (!known.isRunning) return "starting";
  if (known.lastAgeMs === null) return "none";
  return known.lastAgeMs > CAMERA_STALE_MS ? "stale" : "running";
}

/** By a column, what is not known always last. */
export function sortRows(
  rows: readonly CameraRow[],
  { key, isRising }: { readonly key: SortKey; readonly isRising: boolean },
): CameraRow[] {
  return rows.toSorted((a, b) => {
    const [x, y] = [a[key], b[key]];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order =
      typeof x === "string" || typeof y === "string"
        ? String(x).localeCompare(String(y), undefined, { numeric: true })
        : x - y;
    return (isRising ? order : -order) || (a.cameraId < b.cameraId ? -1 : 1);
  });
}
