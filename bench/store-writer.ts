/**
 * The store's writers (groups of 5,000 rows, a commit each, two connections) against psql's binary copy of the same
 * rows into the same tables by two psql processes, in the same run, turn by turn.
 *
 *   npm run bench:writer [-- rows]        DATABASE_URL=... for an external server
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type CopyColumn,
  type CopyRow,
  createLogger,
  createPool,
  DETECTION_COLUMNS,
  OBSERVATION_COLUMNS,
  type Pool,
} from "@huishi/platform";
import { createAgent } from "@huishi/testkit";
import { PostgresRecordStore } from "../services/analytics/src/adapters/postgres/record-store.ts";
import { observationRow } from "../services/ingest/src/adapters/postgres/event-rows.ts";
import { NumberBook } from "../services/ingest/src/adapters/postgres/number-book.ts";
import { PostgresEventStore } from "../services/ingest/src/adapters/postgres/postgres-event-store.ts";
import type { EventRow } from "../services/ingest/src/domain/records.ts";
import { benchDatabase } from "./support/bench-database.ts";
import { psqlCopy, writeCopyFiles } from "./support/psql-copy.ts";
import { median } from "./support/statistics.ts";

const ROWS = Number(process.argv[2] ?? 400_000);
/** What the committer takes under load. */
const GROUP = 5_000;
const LANES = 2;
const ROUNDS = 5;
const SENSORS = 200;
const CAMERAS = 500;

const logger = createLogger({ name: "bench", level: "warn" });
const startMs = Date.now() - 3_600_000;

const observation = (agentId: string, seq: number): EventRow => ({
  agentId,
  topic: "bench",
  boot: "00000000000000aa",
  ingestedAtMs: startMs + seq + 90,
  event: {
    type: "observation",
    seq,
    capturedAtMs: startMs + seq,
    agentAtMs: startMs + seq + 50,
    sensorId: `sensor-${seq % SENSORS}`,
    observedProperty: "water_level",
    value: seq / 1000,
    unit: "m",
  },
});
/** Frames of four objects, the cameras in turn. */
const detection = (index: number) => ({
  capturedAtMs: startMs + (index >> 2),
  trackId: 1_000_000 + (index % 4) + 4 * ((index >> 2) % CAMERAS),
  cameraNo: (index >> 2) % CAMERAS,
  classCode: 1 + (index % 3),
  score: 4_000 + (index % 6_000),
  x: index % 9_000,
  y: (index * 7) % 9_000,
  w: 500,
  h: 900,
});

/** Groups in turn to two lanes, each one transaction after the other. */
async function inLanes<T>(
  items: readonly T[],
  write: (group: readonly T[]) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const from = next;
      next += GROUP;
      await write(items.slice(from, from + GROUP));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

interface Subject {
  readonly table: string;
  readonly columns: readonly CopyColumn[];
  readonly rows: readonly CopyRow[];
  write(): Promise<void>;
}

async function compare(pool: Pool, databaseUrl: string, subject: Subject): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "huishi-bench-"));
  try {
    const files = await writeCopyFiles(
      folder,
      { columns: subject.columns, connections: LANES },
      subject.rows,
    );
    const rates: { ours: number; psql: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const timed = async (work: () => Promise<void>): Promise<number> => {
        await pool.query(`TRUNCATE ${subject.table}`);
        await pool.query("CHECKPOINT");
        const startedMs = performance.now();
        await work();
        return (subject.rows.length * 1000) / (performance.now() - startedMs);
      };
      const psql = await timed(() => psqlCopy(databaseUrl, subject, files));
      const ours = await timed(() => subject.write());
      // The first round warms both.
      if (round > 0) rates.push({ ours, psql });
    }
    const count = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${subject.table}`);
    if (count.rows[0]?.n !== subject.rows.length)
      throw new Error(`${subject.table} holds ${count.rows[0]?.n} rows`);
    const size = await pool.query<{ bytes: number }>(
      "SELECT sum(bytes)::float8 / $2 AS bytes FROM huishi_store.series_chunks($1)",
      [subject.table, subject.rows.length],
    );
    process.stdout.write(
      `${subject.table}: writer ${Math.round(median(rates.map(({ ours }) => ours)))} rows/s, ` +
        `psql binary copy ${Math.round(median(rates.map(({ psql }) => psql)))} rows/s, ` +
        `ratio ${median(rates.map(({ ours, psql }) => ours / psql)).toFixed(2)} ` +
        `(rounds ${rates.map(({ ours, psql }) => (ours / psql).toFixed(2)).join(" ")}); ` +
        `${(size.rows[0]?.bytes ?? 0).toFixed(0)} bytes a row with indexes\n`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const database = await benchDatabase(logger);
const pool = createPool(database.databaseUrl, { max: LANES, statementTimeoutMs: 120_000 });
const askPool = createPool(database.databaseUrl, { max: 1 });
try {
  process.stdout.write(
    `${database.description}; ${ROWS} rows, ${LANES} connections, a commit every ${GROUP} rows\n`,
  );
  const detections = Array.from({ length: ROWS }, (_, index) => detection(index));
  const records = new PostgresRecordStore(pool);
  await compare(askPool, database.databaseUrl, {
    table: "detection",
    columns: DETECTION_COLUMNS,
    rows: detections.map((d) => [
      d.capturedAtMs,
      d.trackId,
      d.cameraNo,
      d.classCode,
      d.score,
      d.x,
      d.y,
      d.w,
      d.h,
    ]),
    write: () => inLanes(detections, (group) => records.writeDetections(group)),
  });
  const agent = await createAgent(askPool);
  const events = Array.from({ length: ROWS }, (_, index) => observation(agent.id, index));
  const book = new NumberBook(askPool);
  await book.prepare(events);
  const store = new PostgresEventStore({ pool, book });
  await compare(askPool, database.databaseUrl, {
    table: "observation",
    columns: OBSERVATION_COLUMNS,
    rows: events.flatMap((row) =>
      row.event.type === "observation" ? [observationRow(row, row.event, book)] : [],
    ),
    write: () => inLanes(events, (group) => store.write(group, [])),
  });
} finally {
  await pool.end();
  await askPool.end();
  await database.drop();
}
