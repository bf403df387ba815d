import type { DeviceEvent, EdgeEventType, TimeRange } from "@huishi/contracts";
import { formatPageCursor, integerField, type Keyset, parsePageCursor } from "../domain/page-cursor.ts";
import { checkRange, DAY_MS } from "../domain/time-range.ts";

export interface DeviceEventsAsked {
  /** A camera, a sensor, or an agent. */
  readonly subjectId: string;
  readonly range: TimeRange;
  readonly types: readonly EdgeEventType[] | null;
  readonly before: { readonly micros: string; readonly sourceNo: string; readonly seq: string } | null;
  readonly limit: number;
}

export interface PlacedEvent {
  readonly event: DeviceEvent;
  /** Capture time in microseconds, number of the source, sequence. */
  readonly keyset: Keyset;
}

export interface DeviceEventStore {
  /** Newest first. */
  readEvents(asked: DeviceEventsAsked): Promise<PlacedEvent[]>;
}

const LONGEST_EVENTS_MS = 62 * DAY_MS;

/**
 * What a device said. Devices that are gone keep their events, so an unknown id has none.
 *
 * @throws HuishiError TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, VALIDATION_FAILED
 */
export async function pageDeviceEvents(
  store: DeviceEventStore,
  asked: {
    subjectId: string;
    range: TimeRange;
    types: readonly EdgeEventType[] | null;
    after: string | null;
    limit: number;
  },
): Promise<TimeRange & { events: DeviceEvent[]; next: string | null }> {
  const { subjectId, range, types, limit } = asked;
  checkRange(range, LONGEST_EVENTS_MS);
  const keyset = asked.after === null ? null : parsePageCursor("events", asked.after, 3);
  const before = keyset && {
    micros: integerField(keyset, 0),
    sourceNo: integerField(keyset, 1),
    seq: integerField(keyset, 2),
  };
  const placed = await store.readEvents({ subjectId, range, types, before, limit: limit + 1 });
  const page = placed.slice(0, limit);
  const last = placed.length > limit ? page.at(-1) : undefined;
  const next = last ? formatPageCursor("events", last.keyset) : null;
  return { ...range, events: page.map(({ event }) => event), next };
}
