import { HuishiError, messageOf } from "@huishi/kernel";
import {
  copyNewRows,
  copyRows,
  DETECTION_COLUMNS,
  EDGE_EVENT_COLUMNS,
  isValueFault,
  lateMarkStatement,
  markLate,
  OBSERVATION_COLUMNS,
  type Pool,
  type PoolClient,
  sqlStateOf,
  type StoredTrack,
  withTransaction,
  writeTracks,
} from "@huishi/platform";
import type { EventStore, WriteResult } from "../../application/ports.ts";
import type { DeadLetter, EventRow } from "../../domain/records.ts";
import { sortByOwner } from "../../domain/sort-by-owner.ts";
import {
  detectionRows,
  edgeEventRow,
  type ObservationRow,
  observationRow,
  plainRows,
  storedTrack,
} from "./event-rows.ts";
import type { NumberBook } from "./number-book.ts";
import { PROJECTIONS } from "./projections.ts";

const UNIQUE_VIOLATION = "23505";
/** After a duplicate, so many groups go the slower way that settles duplicates: they seldom come alone. */
const CAREFUL_GROUPS = 8;

const OBSERVATION = {
  table: "observation",
  columns: OBSERVATION_COLUMNS,
  keys: ["source_no", "seq"],
} as const;
const EDGE_EVENT = { table: "edge_event", columns: EDGE_EVENT_COLUMNS, keys: ["source_no", "seq"] } as const;

export interface PostgresEventStoreOptions {
  readonly pool: Pool;
  readonly book: NumberBook;
  /** Told which cameras belong to whom, as far as a committed batch has shown. */
  readonly onCameras?: (owners: ReadonlyMap<string, string>) => void;
  /** Told of every committed batch, duplicates included: a newer value stays the latest. */
  readonly onObservations?: (rows: readonly ObservationRow[]) => void;
}

interface Camera {
  readonly no: number;
  readonly agentId: string;
}

/**
 * Events in PostgreSQL. One transaction copies the events (binary COPY), carries what they mean into the tables that
 * people see, and keeps the dead letters. A unique index tells what came before: then the same group is settled
 * through a temporary table.
 */
export class PostgresEventStore implements EventStore {
  readonly #options: PostgresEventStoreOptions;
  #carefulGroups = 0;

  constructor(options: PostgresEventStoreOptions) {
    this.#options = options;
  }

  async write(events: readonly EventRow[], deadLetters: readonly DeadLetter[]): Promise<WriteResult> {
    try {
      const isCareful = this.#carefulGroups > 0;
      const plain = isCareful || deadLetters.length > 0 ? null : plainRows(events, this.#options.book);
      if (!plain) await this.#options.book.prepare(events);
      if (isCareful) return await this.#commit(events, deadLetters, "settling");
      try {
        return plain ? await this.#copyPlain(plain) : await this.#commit(events, deadLetters, "copying");
      } catch (thrown) {
        if (sqlStateOf(thrown) !== UNIQUE_VIOLATION) throw thrown;
        this.#carefulGroups = CAREFUL_GROUPS;
        return await this.#commit(events, deadLetters, "settling");
      }
    } catch (cause) {
      throw asRefusal(cause);
    }
  }

  /** One trip to the server: COPY and late marks are a transaction of their own. */
  async #copyPlain(rows: readonly ObservationRow[]): Promise<WriteResult> {
    const { pool } = this.#options;
    const behind = lateMarkStatement("observation", timesOf(rows));
    const client = await pool.connect();
    try {
      const inserted = await copyRows(client, { ...OBSERVATION, behind }, rows);
      client.release();
      this.#options.onObservations?.(rows);
      return { inserted, duplicates: 0, deadLetters: 0 };
    } catch (thrown) {
      // The database has said what it thinks and rolled back; any other fault leaves the connection in doubt.
      client.release(sqlStateOf(thrown) === null ? (thrown as Error) : undefined);
      throw thrown;
    }
  }

  /** Events of dead letters, given again: what is refused once more comes back instead of becoming another letter. */
  async replay(
    events: readonly EventRow[],
  ): Promise<WriteResult & { readonly refused: readonly DeadLetter[] }> {
    const { pool, book } = this.#options;
    try {
      await book.prepare(events);
      return await withTransaction(pool, async (client) => {
        const { result, refused } = await new GroupWrite(client, book, "settling").run(events);
        return { ...result, refused };
      });
    } catch (cause) {
      throw asRefusal(cause);
    }
  }

  async #commit(
    events: readonly EventRow[],
    deadLetters: readonly DeadLetter[],
    way: "copying" | "settling",
  ): Promise<WriteResult> {
    const { pool, book } = this.#options;
    const { result, cameras, observed } = await withTransaction(pool, async (client) => {
      const written = await new GroupWrite(client, book, way).run(events);
      const letters = [...deadLetters, ...written.refused];
      await insertDeadLetters(client, letters);
      return {
        cameras: written.cameras,
        observed: written.observed,
        result: { ...written.result, deadLetters: letters.length },
      };
    });
    if (way === "settling")
      this.#carefulGroups = result.duplicates > 0 ? CAREFUL_GROUPS : this.#carefulGroups - 1;
    if (cameras.size > 0) this.#options.onCameras?.(cameras);
    this.#options.onObservations?.(observed);
    return result;
  }
}

/** A value that does not fit its column, or that the database blames, is refused: it would fail again. */
function asRefusal(cause: unknown): unknown {
  const isUnfit = cause instanceof HuishiError && cause.code === "COPY_VALUE";
  if (!isUnfit && !isValueFault(cause)) return cause;
  return new HuishiError("EVENT_REFUSED", `the database refuses it: ${messageOf(cause)}`, { cause });
}

/** One group of events within one transaction. */
class GroupWrite {
  readonly #client: PoolClient;
  readonly #book: NumberBook;
  readonly #way: "copying" | "settling";

  constructor(client: PoolClient, book: NumberBook, way: "copying" | "settling") {
    this.#client = client;
    this.#book = book;
    this.#way = way;
  }

  async run(events: readonly EventRow[]): Promise<{
    result: WriteResult;
    refused: readonly DeadLetter[];
    cameras: Map<string, string>;
    observed: readonly ObservationRow[];
  }> {
    const cameras = await this.#ownersOfCameras(events);
    const sorted = sortByOwner(events, { cameras, sensors: this.#book.sensorOwners });
    const observations = sorted.accepted.flatMap((row) =>
      row.event.type === "observation" ? [observationRow(row, row.event, this.#book)] : [],
    );
    const others = sorted.accepted.filter(({ event }) => event.type !== "observation");
    const newObservations = await this.#insertObservations(observations);
    const fresh = await this.#insertOthers(others);
    if (fresh.length > 0) {
      for (const project of PROJECTIONS) await project(this.#client, fresh);
      await this.#writePerception(fresh);
    }
    if (this.#way === "settling") await markLate(this.#client, "observation", timesOf(observations));
    const inserted = newObservations + fresh.length;
    return {
      cameras,
      observed: observations,
      refused: sorted.deadLetters,
      result: {
        inserted,
        duplicates: sorted.accepted.length - inserted,
        deadLetters: sorted.deadLetters.length,
      },
    };
  }

  async #insertObservations(rows: readonly ObservationRow[]): Promise<number> {
    if (rows.length === 0) return 0;
    if (this.#way === "settling") return (await copyNewRows(this.#client, OBSERVATION, rows)).length;
    const behind = lateMarkStatement("observation", timesOf(rows));
    return copyRows(this.#client, { ...OBSERVATION, behind }, rows);
  }

  /** Returns the events that were not there before, in their order. */
  async #insertOthers(rows: readonly EventRow[]): Promise<readonly EventRow[]> {
    if (rows.length === 0) return rows;
    const copied = rows.map((row) => edgeEventRow(row, this.#book));
    if (this.#way === "copying") {
      await copyRows(this.#client, EDGE_EVENT, copied);
      return rows;
    }
    const found = await copyNewRows(this.#client, EDGE_EVENT, copied);
    const fresh = new Set(found.map((key) => key.join("/")));
    // An event that came twice in one group was inserted once: `delete` lets only its first copy through.
    return rows.filter((row) =>
      fresh.delete(`${this.#book.sourceNo(row.agentId, row.boot)}/${row.event.seq}`),
    );
  }

  async #writePerception(fresh: readonly EventRow[]): Promise<void> {
    const perceived = fresh.filter(
      ({ event }) => event.type === "detection_batch" || event.type === "track_summary",
    );
    if (perceived.length === 0) return;
    const numbers = await this.#camerasOf(perceived);
    const detections = [];
    const tracks: StoredTrack[] = [];
    for (const { agentId, boot, event } of perceived) {
      const camera = "cameraId" in event ? numbers.get(event.cameraId) : undefined;
      if (!camera) continue;
      const sourceNo = this.#book.sourceNo(agentId, boot);
      if (event.type === "detection_batch") detections.push(...detectionRows(event, sourceNo, camera.no));
      if (event.type === "track_summary") tracks.push(storedTrack(event, sourceNo, camera.no));
    }
    if (detections.length > 0)
      await copyRows(this.#client, { table: "detection", columns: DETECTION_COLUMNS }, detections);
    await writeTracks(this.#client, tracks);
    const frames = perceived.filter(({ event }) => event.type === "detection_batch");
    await markLate(
      this.#client,
      "detection",
      frames.map(({ event }) => event.capturedAtMs),
    );
  }

  async #ownersOfCameras(rows: readonly EventRow[]): Promise<Map<string, string>> {
    const cameras = await this.#camerasOf(rows);
    return new Map([...cameras].map(([id, { agentId }]) => [id, agentId]));
  }

  async #camerasOf(rows: readonly EventRow[]): Promise<Map<string, Camera>> {
    const ids = new Set<string>();
    for (const { event } of rows) if ("cameraId" in event) ids.add(event.cameraId);
    if (ids.size === 0) return new Map();
    const result = await this.#client.query<{ id: string; no: number; agent_id: string }>({
      name: "cameras-of",
      text: "SELECT id, no, agent_id FROM camera WHERE id = ANY($1::text[])",
      values: [[...ids]],
    });
    return new Map(result.rows.map((row) => [row.id, { no: row.no, agentId: row.agent_id }]));
  }
}

const timesOf = (rows: readonly ObservationRow[]): number[] => rows.map(([capturedAtMs]) => capturedAtMs);

async function insertDeadLetters(client: PoolClient, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  await client.query(
    `INSERT INTO dead_letter (agent_id, topic, code, reason, boot, truncated, payload)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bytea[])`,
    [
      letters.map((letter) => letter.agentId),
      letters.map((letter) => letter.topic),
      letters.map((letter) => letter.code),
      letters.map((letter) => letter.reason),
      letters.map((letter) => letter.boot),
      letters.map((letter) => letter.truncated),
      letters.map((letter) => Buffer.from(letter.payload)),
    ],
  );
}
