import { EVENT_TYPES, type EventSeverity, severityOf } from "@huishi/contracts";
import { crc32 } from "node:zlib";
import type { EventDraft } from "../../application/ports.ts";
import { type Loss, type LossReason, lossOf, sumLosses } from "./loss.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { storageFaultOf } from "./storage-fault.ts";

/** A row of the table `event`. `heldAtMs` is the outbox's own running time when it came in. */
export interface EventRow {
  readonly position: number;
  readonly boot: string;
  readonly seq: number;
  readonly agentAtMs: number;
  readonly capturedAtMs: number;
  readonly type: string;
  /** Id of the camera or sensor that it is about, empty for none. */
  readonly device: string;
  readonly heldAtMs: number;
  readonly crc: number;
  readonly json: string;
}

/** What goes on over restarts, kept in the same transactions as the events. */
interface State {
  nextPosition: number;
  nextSeq: number;
  heldMs: number;
}

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE event (
    position    INTEGER PRIMARY KEY,
    boot        TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    severity    INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    device      TEXT    NOT NULL,
    captured_at INTEGER NOT NULL,
    agent_at    INTEGER NOT NULL,
    held_at     INTEGER NOT NULL,
    crc         INTEGER NOT NULL,
    json        TEXT    NOT NULL
  ) STRICT;
  CREATE INDEX event_severity ON event (severity);
  CREATE TABLE loss (
    reason  TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL,
    PRIMARY KEY (reason, type)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE state (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    next_position INTEGER NOT NULL,
    next_seq      INTEGER NOT NULL,
    held_ms       INTEGER NOT NULL
  ) STRICT;
  INSERT INTO state VALUES (1, 1, 0, 0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
const EVENT_COLUMNS = `position, boot, seq, agent_at AS agentAtMs, captured_at AS capturedAtMs, type,
  device, held_at AS heldAtMs, crc, json`;
/** Estimated pages in the write-ahead log that are worth a checkpoint (512 KiB: half of the reserve). */
const CHECKPOINT_PAGES = 128;

/** The tables of the outbox: statements, no policy. Positions are the order; numbers and counters go with each commit. */
export class OutboxDatabase {
  /** What was wrong with the file when it was opened; it is read as far as it goes. Null for a sound one. */
  readonly damage: unknown;
  readonly sqlite: SqliteFile;
  /** Stored events of each severity. */
  counts: number[] = [0, 0, 0, 0];
  state: State = { nextPosition: 1, nextSeq: 0, heldMs: 0 };
  #pagesSinceCheckpoint = 0;

  /** @throws SQLite's error; NOTADB or CORRUPT for a file of which nothing can be read */
  constructor(file: string) {
    this.sqlite = new SqliteFile(file);
    this.damage = this.#loadOrDamage();
  }

  get count(): number {
    return this.counts.reduce((sum, n) => sum + n, 0);
  }

  /** All or nothing, durable on return; on a fault the counters are as before, too. */
  transaction<T>(work: () => T): T {
    const counts = [...this.counts];
    const state = { ...this.state };
    try {
      return this.sqlite.transaction(work);
    } catch (error) {
      this.counts = counts;
      this.state = state;
      throw error;
    }
  }

  /** Gives the event its number and place. */
  append(boot: string, draft: EventDraft, agentAtMs: number): void {
    const seq = this.state.nextSeq++;
    const json = JSON.stringify({ ...draft, seq, agentAtMs });
    this.insert({
      position: this.state.nextPosition++,
      boot,
      seq,
      agentAtMs,
      capturedAtMs: draft.capturedAtMs,
      type: draft.type,
      device: deviceOf(draft),
      heldAtMs: this.state.heldMs,
      crc: crc32(json),
      json,
    });
  }

  /** Puts a whole row in its place. */
  insert(row: EventRow): void {
    const severity = severityOfStored(row.type);
    this.sqlite.run(
      "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.position,
      row.boot,
      row.seq,
      severity,
      row.type,
      row.device,
      whole(row.capturedAtMs),
      whole(row.agentAtMs),
      whole(row.heldAtMs),
      row.crc,
      row.json,
    );
    this.#countIn(severity, 1);
    this.state.nextPosition = Math.max(this.state.nextPosition, row.position + 1);
    this.#pagesSinceCheckpoint += row.json.length / 3000;
  }

  /** Writes down where numbers go on; the last step of a transaction that appended. */
  saveState(): void {
    const { nextPosition, nextSeq, heldMs } = this.state;
    this.sqlite.run(
      "UPDATE state SET next_position = ?, next_seq = ?, held_ms = ?",
      nextPosition,
      nextSeq,
      whole(heldMs),
    );
    this.#pagesSinceCheckpoint += 5;
  }

  /** Events from `from` on, below `before`, in order. */
  select(from: number, before: number, limit: number): EventRow[] {
    const sql = `SELECT ${EVENT_COLUMNS} FROM event WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`;
    return this.sqlite.all<EventRow>(sql, from, Math.min(before, Number.MAX_SAFE_INTEGER), limit);
  }

  holds(boot: string, seq: number): boolean {
    return this.sqlite.all("SELECT 1 FROM event WHERE boot = ? AND seq = ? LIMIT 1", boot, seq).length > 0;
  }

  /** Removes events `first`..`last`. @returns how many there were */
  removeRange(first: number, last: number): number {
    const sql = "DELETE FROM event WHERE position BETWEEN ? AND ? RETURNING severity";
    const removed = this.sqlite.all<{ severity: number }>(sql, first, last);
    for (const { severity } of removed) this.#countIn(severity, -1);
    this.#pagesSinceCheckpoint += 3 + removed.length / 16;
    return removed.length;
  }

  /** The lowest severity that is stored, null when nothing is. */
  get lowestSeverity(): EventSeverity | null {
    const lowest = this.counts.findIndex((n) => n > 0);
    return lowest < 0 ? null : (lowest as EventSeverity);
  }

  /** Gives up the oldest events of one severity and writes down what is lost, in the caller's transaction. */
  giveUp(severity: EventSeverity, limit: number, reason: LossReason): number {
    const sql = `SELECT ${EVENT_COLUMNS} FROM event WHERE severity = ? ORDER BY position LIMIT ?`;
    return this.#giveUpRows(this.sqlite.all<EventRow>(sql, severity, limit), reason);
  }

  /** Gives up the oldest events that came in before the outbox had run for `heldMs`. */
  giveUpHeldBefore(heldMs: number, limit: number): number {
    const sql = `SELECT ${EVENT_COLUMNS} FROM event ORDER BY position LIMIT ?`;
    const rows = this.sqlite.all<EventRow>(sql, limit);
    const end = rows.findIndex(({ heldAtMs }) => heldAtMs >= heldMs);
    return this.#giveUpRows(end < 0 ? rows : rows.slice(0, end), "full");
  }

  /** Gives up one event whose content is damaged. */
  giveUpDamaged(row: EventRow): void {
    const type = row.type in EVENT_TYPES ? row.type : "unknown";
    this.addLosses([{ reason: "damaged", type, count: 1, fromMs: row.capturedAtMs, toMs: row.capturedAtMs }]);
    this.removeRange(row.position, row.position);
  }

  addLosses(losses: readonly Loss[]): void {
    for (const { reason, type, count, fromMs, toMs } of sumLosses(losses)) {
      this.sqlite.run(
        `INSERT INTO loss VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET count = count + excluded.count,
         from_ms = min(from_ms, excluded.from_ms), to_ms = max(to_ms, excluded.to_ms)`,
        reason,
        type,
        count,
        whole(fromMs),
        whole(toMs),
      );
    }
    this.#pagesSinceCheckpoint += 1;
  }

  get losses(): Loss[] {
    return this.sqlite.all<Loss>("SELECT reason, type, count, from_ms AS fromMs, to_ms AS toMs FROM loss");
  }

  forgetLosses(): void {
    this.sqlite.run("DELETE FROM loss");
  }

  /** Moves the write-ahead log into the file: now (`force`), or when it has grown enough. @throws FULL */
  checkpoint(force: boolean): void {
    if (!force && this.#pagesSinceCheckpoint < CHECKPOINT_PAGES) return;
    this.sqlite.checkpoint();
    this.#pagesSinceCheckpoint = 0;
  }

  close(): void {
    this.sqlite.close();
  }

  #giveUpRows(rows: readonly EventRow[], reason: LossReason): number {
    const last = rows.at(-1);
    if (!last) return 0;
    this.addLosses(rows.flatMap((row) => lossOf(row, reason)));
    for (const { position, type } of rows) {
      this.sqlite.run("DELETE FROM event WHERE position = ?", position);
      this.#countIn(severityOfStored(type), -1);
    }
    this.#pagesSinceCheckpoint += 3 + rows.length / 16;
    return rows.length;
  }

  /** A fault other than damage is thrown; the file is none of ours, or cannot be read at all. */
  #loadOrDamage(): unknown {
    try {
      if (this.sqlite.pragma("user_version") === 0) this.transaction(() => this.sqlite.exec(SCHEMA));
      this.#load();
      return null;
    } catch (error) {
      if (storageFaultOf(error, true) !== "damaged") {
        this.close();
        throw error;
      }
      this.#loadWhatGoes();
      return error;
    }
  }

  #load(): void {
    const version = this.sqlite.pragma("user_version");
    if (version !== SCHEMA_VERSION) throw new Error(`the outbox has the unknown version ${version}`);
    const sql = "SELECT next_position AS nextPosition, next_seq AS nextSeq, held_ms AS heldMs FROM state";
    this.state = { ...(this.sqlite.all<State>(sql)[0] ?? this.state) };
    const bySeverity = "SELECT severity, count(*) AS n FROM event GROUP BY severity";
    for (const { severity, n } of this.sqlite.all<{ severity: number; n: number }>(bySeverity)) {
      this.counts[severity] = n;
    }
  }

  #loadWhatGoes(): void {
    const lastSql = "SELECT max(position) AS last FROM event";
    try {
      return this.#reach(Number(this.sqlite.all<{ last: number }>(lastSql)[0]?.last) + 1);
    } catch {
      // The last page is damaged, too.
    }
    try {
      // No row takes less than 64 bytes: behind the last position there is nothing.
      const first = this.select(0, Number.MAX_SAFE_INTEGER, 1)[0]?.position ?? 1;
      this.#reach(first + this.sqlite.pragma("page_count") * 64);
    } catch {
      // Nothing of it can be read.
    }
  }

  #reach(position: number): void {
    this.state.nextPosition = Math.max(this.state.nextPosition, position);
  }

  #countIn(severity: number, by: number): void {
    this.counts[severity] = (this.counts[severity] ?? 0) + by;
  }
}

/** A type that this version does not know came from a newer one: kept as long as most. */
function severityOfStored(type: string): EventSeverity {
  return severityOf(type as EventDraft["type"]) ?? 2;
}

export function deviceOf(event: EventDraft): string {
  if ("cameraId" in event) return event.cameraId;
  return "sensorId" in event ? event.sensorId : "";
}

/** STRICT columns take whole numbers only; one odd time must not stop its neighbours. */
function whole(value: number): number {
  return Number.isFinite(value) ? Math.trunc(value) : 0;
}
