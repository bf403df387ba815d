import { HuishiError, messageOf } from "@huishi/kernel";
import { isValueFault, type Pool, type PoolClient, withTransaction } from "@huishi/platform";
import type { EventStore, WriteResult } from "../../application/ports.ts";
import { type DeadLetter, type EventRow, subjectOf } from "../../domain/records.ts";
import { sortByCamera } from "../../domain/sort-by-camera.ts";
import { projectAlarms, projectHealth, projectInventory } from "./projections.ts";

/**
 * Events in PostgreSQL: one transaction inserts the events that are new, carries what they mean into the tables
 * that people see, and keeps the dead letters.
 */
export class PostgresEventStore implements EventStore {
  readonly #pool: Pool;
  readonly #onCameras: (owners: ReadonlyMap<string, string>) => void;

  /** @param onCameras told which cameras belong to whom, as far as a committed batch has shown */
  constructor(pool: Pool, onCameras: (owners: ReadonlyMap<string, string>) => void = () => {}) {
    this.#pool = pool;
    this.#onCameras = onCameras;
  }

  async write(events: readonly EventRow[], deadLetters: readonly DeadLetter[]): Promise<WriteResult> {
    try {
      const { result, owners } = await withTransaction(this.#pool, (client) =>
        writeAll(client, events, deadLetters),
      );
      this.#onCameras(owners);
      return result;
    } catch (cause) {
      if (!isValueFault(cause)) throw cause;
      throw new HuishiError("EVENT_REFUSED", `the database refuses it: ${messageOf(cause)}`, { cause });
    }
  }
}

async function writeAll(
  client: PoolClient,
  events: readonly EventRow[],
  deadLetters: readonly DeadLetter[],
): Promise<{ result: WriteResult; owners: Map<string, string> }> {
  const owners = await cameraOwnersOf(client, events);
  const sorted = sortByCamera(events, owners);
  const fresh = await insertEvents(client, sorted.accepted);
  await projectInventory(client, fresh);
  await projectHealth(client, fresh);
  await projectAlarms(client, fresh);
  const letters = [...deadLetters, ...sorted.deadLetters];
  await insertDeadLetters(client, letters);
  return {
    owners,
    result: {
      inserted: fresh.length,
      duplicates: sorted.accepted.length - fresh.length,
      deadLetters: letters.length,
    },
  };
}

async function cameraOwnersOf(client: PoolClient, events: readonly EventRow[]): Promise<Map<string, string>> {
  const ids = new Set<string>();
  for (const { event } of events) if ("cameraId" in event) ids.add(event.cameraId);
  if (ids.size === 0) return new Map();
  const result = await client.query<{ id: string; agent_id: string }>({
    name: "camera-owners-of",
    text: "SELECT id, agent_id FROM camera WHERE id = ANY($1::text[])",
    values: [[...ids]],
  });
  return new Map(result.rows.map((row) => [row.id, row.agent_id]));
}

/** The bodies come as one JSON array: as elements of a text[] every quote in them would be escaped once more. */
const INSERT_EVENTS = `
  INSERT INTO edge_event (agent_id, boot, seq, type, subject_id, captured_at, agent_at, body)
  SELECT agent_id, boot, seq, type, subject_id,
         'epoch'::timestamptz + captured_ms * interval '1 millisecond',
         'epoch'::timestamptz + agent_ms * interval '1 millisecond', body
  FROM ROWS FROM (unnest($1::text[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::text[]),
                  unnest($5::text[]), unnest($6::bigint[]), unnest($7::bigint[]), jsonb_array_elements($8::jsonb))
       AS t (agent_id, boot, seq, type, subject_id, captured_ms, agent_ms, body)
  ON CONFLICT DO NOTHING
  RETURNING agent_id, boot, seq`;

/** Returns the events that were not there before, in their order. */
async function insertEvents(client: PoolClient, rows: readonly EventRow[]): Promise<EventRow[]> {
  if (rows.length === 0) return [];
  const result = await client.query<[string, string, string]>({
    name: "insert-edge-events",
    text: INSERT_EVENTS,
    rowMode: "array",
    values: [
      rows.map((row) => row.agentId),
      rows.map((row) => row.boot),
      rows.map((row) => row.event.seq),
      rows.map((row) => row.event.type),
      rows.map((row) => subjectOf(row.event).id ?? row.agentId),
      rows.map((row) => row.event.capturedAtMs),
      rows.map((row) => row.event.agentAtMs),
      JSON.stringify(rows.map((row) => row.event)),
    ],
  });
  if (result.rows.length === rows.length) return [...rows];
  const inserted = new Set(result.rows.map((key) => key.join("/")));
  // An event that came twice in one batch was inserted once: `delete` lets only its first copy through.
  return rows.filter((row) => inserted.delete(`${row.agentId}/${row.boot}/${row.event.seq}`));
}

async function insertDeadLetters(client: PoolClient, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  await client.query(
    `INSERT INTO dead_letter (agent_id, topic, code, reason, payload)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])`,
    [
      letters.map((letter) => letter.agentId),
      letters.map((letter) => letter.topic),
      letters.map((letter) => letter.code),
      letters.map((letter) => letter.reason),
      letters.map((letter) => Buffer.from(letter.payload)),
    ],
  );
}
