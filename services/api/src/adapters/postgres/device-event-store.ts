import { type DeviceEvent, EVENT_TYPES } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { DeviceEventsAsked, DeviceEventStore, PlacedEvent } from "../../application/device-events.ts";
import { all, isoOfMicros, microsOf, millisOf, type Question, Values } from "./queries/question.ts";

interface EventRow {
  readonly micros: string;
  readonly captured_ms: number;
  readonly agent_ms: number;
  readonly ingested_ms: number;
  readonly seq: string;
  readonly source_no: number;
  readonly type_code: number;
  readonly subject_id: string;
  readonly traceparent: string | null;
  readonly body: unknown;
  readonly agent_id: string;
  readonly boot: string;
}

const TYPE_OF_CODE = new Map<number, string>(Object.entries(EVENT_TYPES).map(([name, code]) => [code, name]));

export function deviceEventQuestion(asked: DeviceEventsAsked): Question {
  const values = new Values();
  const { before } = asked;
  const where = all(
    `e.subject_id = ${values.add(asked.subjectId)}`,
    `e.captured_at >= ${values.add(new Date(asked.range.fromMs))}`,
    `e.captured_at < ${values.add(new Date(asked.range.toMs))}`,
    asked.types === null
      ? null
      : `e.type_code = ANY(${values.add(asked.types.map((type) => EVENT_TYPES[type]))}::smallint[])`,
    before === null
      ? null
      : `(e.captured_at, e.source_no, e.seq) < (${values.add(isoOfMicros(before.micros))}::timestamptz,
         ${values.add(before.sourceNo)}::integer, ${values.add(before.seq)}::bigint)`,
  );
  const text = `
    SELECT ${microsOf("e.captured_at")} AS micros, ${millisOf("e.captured_at")} AS captured_ms,
           ${millisOf("e.agent_at")} AS agent_ms, ${millisOf("e.ingested_at")} AS ingested_ms, e.seq, e.source_no,
           e.type_code, e.subject_id, e.traceparent, e.body, s.agent_id, s.boot
    FROM edge_event AS e JOIN event_source AS s ON s.no = e.source_no
    WHERE ${where}
    ORDER BY e.captured_at DESC, e.source_no DESC, e.seq DESC LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

export class PostgresDeviceEventStore implements DeviceEventStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readEvents(asked: DeviceEventsAsked): Promise<PlacedEvent[]> {
    const { text, values } = deviceEventQuestion(asked);
    const found = await this.#pool.query<EventRow>(text, [...values]);
    return found.rows.map((row) => ({
      event: toEvent(row),
      keyset: [row.micros, String(row.source_no), row.seq],
    }));
  }
}

const toEvent = (row: EventRow): DeviceEvent => ({
  agentId: row.agent_id,
  boot: row.boot,
  seq: row.seq,
  type: TYPE_OF_CODE.get(row.type_code) ?? `type ${row.type_code}`,
  subjectId: row.subject_id,
  capturedAtMs: row.captured_ms,
  agentAtMs: row.agent_ms,
  ingestedAtMs: row.ingested_ms,
  traceparent: row.traceparent,
  body: row.body,
});
