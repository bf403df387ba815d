import { EVENT_TYPES, OBJECT_CLASSES } from "@huishi/contracts";
import { type CopyRow, edgeTrackId, type StoredTrack } from "@huishi/platform";
import { type EventRow, subjectOf } from "../../domain/records.ts";
import type { NumberBook } from "./number-book.ts";

const INT32_MAX = 2_147_483_647;
const SCALE = 10_000;
/** What stands in rows of its own: its body would hold the same once more. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(["detection_batch", "track_summary"]);

const clamp32 = (value: number): number => Math.max(-INT32_MAX - 1, Math.min(INT32_MAX, value));
const scaled = (fraction: number): number => Math.round(fraction * SCALE);

type EventOf<T extends EventRow["event"]["type"]> = Extract<EventRow["event"], { type: T }>;

/** A row of OBSERVATION_COLUMNS. */
export type ObservationRow = readonly [
  capturedAtMs: number,
  value: number,
  seq: number,
  datastreamNo: number,
  sourceNo: number,
  agentLagMs: number,
  ingestLagMs: number,
];

/** The row of an observation whose numbers `prepare` has made known. */
export function observationRow(
  row: EventRow,
  event: EventOf<"observation">,
  book: NumberBook,
): ObservationRow {
  const datastreamNo = book.datastreamNo(event.sensorId, event.observedProperty, event.unit);
  return numberedRow(row, event, { datastreamNo, sourceNo: book.sourceNo(row.agentId, row.boot) });
}

/** Rows of observations alone, each by its sensor's own agent and with known numbers: null when anything else is there. */
export function plainRows(rows: readonly EventRow[], book: NumberBook): ObservationRow[] | null {
  const copied: ObservationRow[] = [];
  for (const row of rows) {
    const { event } = row;
    const numbers = event.type === "observation" ? book.numbersOf(row, event) : null;
    if (event.type !== "observation" || !numbers) return null;
    copied.push(numberedRow(row, event, numbers));
  }
  return copied;
}

function numberedRow(
  row: EventRow,
  event: EventOf<"observation">,
  { datastreamNo, sourceNo }: { datastreamNo: number; sourceNo: number },
): ObservationRow {
  const { capturedAtMs } = event;
  const agentLagMs = clamp32(event.agentAtMs - capturedAtMs);
  return [
    capturedAtMs,
    event.value,
    event.seq,
    datastreamNo,
    sourceNo,
    agentLagMs,
    clamp32(row.ingestedAtMs - capturedAtMs),
  ];
}

/** A row of EDGE_EVENT_COLUMNS. */
export function edgeEventRow(row: EventRow, book: NumberBook): CopyRow {
  const { event } = row;
  return [
    event.capturedAtMs,
    event.agentAtMs,
    row.ingestedAtMs,
    event.seq,
    book.sourceNo(row.agentId, row.boot),
    EVENT_TYPES[event.type],
    subjectOf(event).id ?? row.agentId,
    event.traceparent ?? null,
    WITHOUT_BODY.has(event.type) ? null : event,
  ];
}

/** Rows of DETECTION_COLUMNS, one an object. Objects without a track have track 0. */
export function detectionRows(
  event: EventOf<"detection_batch">,
  sourceNo: number,
  cameraNo: number,
): CopyRow[] {
  return event.objects.map(({ track, objectClass, score, box }) => [
    event.capturedAtMs,
    track === undefined ? 0 : edgeTrackId(sourceNo, track),
    cameraNo,
    OBJECT_CLASSES[objectClass],
    scaled(score),
    scaled(box.x),
    scaled(box.y),
    scaled(box.w),
    scaled(box.h),
  ]);
}

export function storedTrack(
  event: EventOf<"track_summary">,
  sourceNo: number,
  cameraNo: number,
): StoredTrack {
  return {
    id: edgeTrackId(sourceNo, event.track),
    cameraNo,
    classCode: OBJECT_CLASSES[event.objectClass],
    firstSeenMs: event.firstSeenAtMs,
    lastSeenMs: event.lastSeenAtMs,
    observations: event.observations,
    score: scaled(event.score),
    path: event.path.map(({ atMs, x, y }) => [atMs, scaled(x), scaled(y)] as const),
    ended: true,
  };
}
