import type {
  CrossingDirection,
  Detection,
  Heading,
  ObjectClass,
  TimeRange,
  Track,
  TrackQuery,
} from "@huishi/contracts";
import { type Clock, HuishiError } from "@huishi/kernel";
import { formatPageCursor, integerField, parsePageCursor, timeField } from "../domain/page-cursor.ts";
import { checkRange, DAY_MS, MINUTE_MS } from "../domain/time-range.ts";
import { type NameDirectory, requireKnown } from "./scope.ts";

// Whoever may `view` sees every camera's rows here; grants by camera and area come with a later version and belong into
// the questions below, as a restriction of `cameraNos`.

/** Keyset of a detection page: the time of its last frame, microseconds as text. */
export interface DetectionsAsked {
  readonly cameraNo: number;
  readonly range: TimeRange;
  readonly beforeMicros: string | null;
  readonly limit: number;
}

export interface TracksAsked {
  readonly range: TimeRange;
  readonly cameraNos: readonly number[] | null;
  readonly classes: readonly ObjectClass[] | null;
  readonly zoneId: string | null;
  readonly ruleId: string | null;
  readonly crossed: CrossingDirection | null;
  readonly heading: Heading | null;
  readonly minDurationMs: number | null;
  readonly withPath: boolean;
  /** Time (first seen, entered or crossed) and track id of the last row before this page. */
  readonly before: { readonly micros: string; readonly trackId: string } | null;
  readonly limit: number;
}

/** A row and where it stands in its question's order. */
export interface Placed<T> {
  readonly row: T;
  readonly micros: string;
}

export interface PerceptionStore {
  /** Newest first; the last frame is whole, so there may be more than `limit`. */
  readDetections(asked: DetectionsAsked): Promise<Placed<Detection>[]>;
  /** Newest first, at most `limit`. */
  searchTracks(asked: TracksAsked): Promise<Placed<Track>[]>;
}

export interface PerceptionParts {
  readonly store: PerceptionStore;
  readonly names: NameDirectory;
  readonly clock: Clock;
}

export interface RecentAsked {
  readonly minutes?: number;
  readonly after?: string;
  readonly limit?: number;
}

const LONGEST_SEARCH_MS = 31 * DAY_MS;

/** What a camera saw in the last minutes. @throws HuishiError CAMERA_NOT_FOUND, VALIDATION_FAILED */
export async function recentDetections(
  { store, names, clock }: PerceptionParts,
  cameraId: string,
  asked: RecentAsked,
): Promise<TimeRange & { detections: Detection[]; next: string | null }> {
  const cameraNo = await oneCamera(names, cameraId);
  const after = asked.after === undefined ? null : parsePageCursor("detections", asked.after, 3);
  // The range stands still while somebody turns pages.
  const range = after
    ? { fromMs: timeField(after, 0), toMs: timeField(after, 1) }
    : lastMinutes(clock, asked);
  checkRange(range, 61 * MINUTE_MS);
  const limit = asked.limit ?? 500;
  const beforeMicros = after ? integerField(after, 2) : null;
  const placed = await store.readDetections({ cameraNo, range, beforeMicros, limit });
  const last = placed.length < limit ? undefined : placed.at(-1);
  const next =
    last && formatPageCursor("detections", [String(range.fromMs), String(range.toMs), last.micros]);
  return { ...range, detections: placed.map(({ row }) => row), next: next ?? null };
}

/** Tracks that a camera saw in the last minutes. @throws HuishiError CAMERA_NOT_FOUND, VALIDATION_FAILED */
export async function recentTracks(
  parts: PerceptionParts,
  cameraId: string,
  asked: RecentAsked,
): Promise<TimeRange & { tracks: Track[]; next: string | null }> {
  await oneCamera(parts.names, cameraId);
  const after = asked.after === undefined ? null : parsePageCursor("recent", asked.after, 3);
  const range = after
    ? { fromMs: timeField(after, 0), toMs: timeField(after, 1) }
    : lastMinutes(parts.clock, asked);
  checkRange(range, 61 * MINUTE_MS);
  const { tracks, next } = await searchTracks(parts, {
    ...range,
    cameraId: [cameraId],
    limit: Math.min(asked.limit ?? 100, 500),
    ...(after ? { after: after[2] as string } : {}),
  });
  const nextRecent = next && formatPageCursor("recent", [String(range.fromMs), String(range.toMs), next]);
  return { ...range, tracks, next: nextRecent };
}

/**
 * @throws HuishiError TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, VALIDATION_FAILED, CAMERA_NOT_FOUND, ZONE_NOT_FOUND,
 *   RULE_NOT_FOUND
 */
export async function searchTracks(
  { store, names }: PerceptionParts,
  query: TrackQuery,
): Promise<TimeRange & { tracks: Track[]; next: string | null }> {
  const { fromMs, toMs, zoneId = null, ruleId = null, crossed = null, limit = 100 } = query;
  checkRange({ fromMs, toMs }, LONGEST_SEARCH_MS);
  checkPlace({ zoneId, ruleId, crossed });
  const after = query.after === undefined ? null : parsePageCursor("tracks", query.after, 2);
  if (query.cameraId) await requireKnown(names, "camera", query.cameraId);
  if (zoneId !== null) await requireKnown(names, "zone", [zoneId]);
  if (ruleId !== null) await requireKnown(names, "rule", [ruleId]);
  const placed = await store.searchTracks({
    range: { fromMs, toMs },
    cameraNos: query.cameraId ? await names.cameraNos(query.cameraId) : null,
    classes: query.class ?? null,
    zoneId,
    ruleId,
    crossed,
    heading: query.heading ?? null,
    minDurationMs: query.minDurationMs ?? null,
    withPath: query.path ?? false,
    before: after ? { micros: integerField(after, 0), trackId: integerField(after, 1) } : null,
    limit: limit + 1,
  });
  const page = placed.slice(0, limit);
  const last = placed.length > limit ? page.at(-1) : undefined;
  const next = last ? formatPageCursor("tracks", [last.micros, last.row.id]) : null;
  return { fromMs, toMs, tracks: page.map(({ row }) => row), next };
}

function checkPlace(place: {
  zoneId: string | null;
  ruleId: string | null;
  crossed: CrossingDirection | null;
}): void {
  const { zoneId, ruleId, crossed } = place;
  if (zoneId !== null && ruleId !== null) {
    throw new HuishiError("VALIDATION_FAILED", "Give a zone or a counting line, not both.", {
      details: { field: "zoneId", where: "querystring" },
    });
  }
  if (crossed !== null && ruleId === null) {
    throw new HuishiError(
      "VALIDATION_FAILED",
      "`crossed` says which way a line was crossed; name it by `ruleId`.",
      {
        details: { field: "crossed", where: "querystring" },
      },
    );
  }
}

async function oneCamera(names: NameDirectory, cameraId: string): Promise<number> {
  await requireKnown(names, "camera", [cameraId]);
  return (await names.cameraNos([cameraId]))[0] ?? 0;
}

function lastMinutes(clock: Clock, { minutes = 5 }: RecentAsked): TimeRange {
  const toMs = clock.nowMs() + 1;
  return { fromMs: toMs - minutes * MINUTE_MS, toMs };
}
