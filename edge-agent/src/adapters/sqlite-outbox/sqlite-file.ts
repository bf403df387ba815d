import { DatabaseSync, type StatementSyncInstance } from "@photostructure/sqlite";
import { statSync } from "node:fs";
import { storageFaultOf } from "./storage-fault.ts";

/** SQLite's own upper bound of pages: none. */
const UNBOUNDED_PAGES = 4_294_967_294;
/** The log's file keeps its room up to here when it is written from its start again. */
const LOG_BYTES = 1024 * 1024;
/** Connections that are never closed; see `abandon`. */
const abandoned: unknown[] = [];

/**
 * One connection that holds one file (`locking_mode=EXCLUSIVE`: no shared memory file either). A commit is durable
 * when it returns (`synchronous=FULL`); a torn write-ahead log is cut off at its last whole commit by SQLite itself.
 * Calls block, so that callers keep them small.
 */
export class SqliteFile {
  readonly path: string;
  readonly #inode: number;
  readonly #db: InstanceType<typeof DatabaseSync>;
  readonly #statements = new Map<string, StatementSyncInstance>();

  /** Opens the file, made when absent. @throws SQLite's error; NOTADB or CORRUPT for one that cannot be opened */
  constructor(path: string) {
    this.path = path;
    const isNew = sizeOf(path) === 0;
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA journal_size_limit = ${LOG_BYTES};
        PRAGMA cell_size_check = ON;
      `);
      if (isNew) this.#db.exec("PRAGMA auto_vacuum = INCREMENTAL");
      this.#startLog();
      this.#inode = statSync(path).ino;
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Bytes of the file that hold something. */
  get usedBytes(): number {
    return (this.pragma("page_count") - this.freePages) * this.pragma("page_size");
  }

  get freePages(): number {
    return this.pragma("freelist_count");
  }

  /** Bytes on the disk, write-ahead log included. */
  get diskBytes(): number {
    return sizeOf(this.path) + sizeOf(`${this.path}-wal`);
  }

  /** False when somebody emptied the folder: SQLite would go on writing into a file without a name. */
  get isInPlace(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** While the disk is full the file must not grow: what comes in takes the pages of what went. */
  set mayGrow(isAllowed: boolean) {
    if (isAllowed) this.#startLog();
    this.#db.exec(`PRAGMA max_page_count = ${isAllowed ? UNBOUNDED_PAGES : this.pragma("page_count")}`);
  }

  /** All or nothing, durable on return. */
  transaction<T>(work: () => T): T {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  all<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  run(sql: string, ...values: (string | number)[]): void {
    this.#prepared(sql).run(...values);
  }

  pragma(name: string): number {
    return Number(Object.values(this.all<Record<string, number>>(`PRAGMA ${name}`)[0] ?? {})[0]);
  }

  /** Moves the write-ahead log into the file. @throws FULL */
  checkpoint(): void {
    this.all("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** Gives free pages back to the file system. */
  shrink(pages: number): void {
    this.all(`PRAGMA incremental_vacuum(${pages})`);
  }

  /**
   * Ends the log and gives the lock back by hand: this library's `close()` leaves both to the garbage collector while
   * prepared statements live.
   */
  close(): void {
    this.#db.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema;");
    this.#statements.clear();
    this.#db.close();
  }

  /**
   * Lets go of a file that was moved away or removed. The connection stays open as long as the process: closing it
   * would delete the log by the name that now belongs to another database.
   */
  abandon(): void {
    abandoned.push(this);
  }

  /** On a full disk even that fails; the file is as safe without the log, only slower. */
  #startLog(): void {
    try {
      this.#db.exec("PRAGMA journal_mode = WAL");
    } catch (error) {
      if (storageFaultOf(error, true) !== "no_room") throw error;
    }
  }

  #prepared(sql: string): StatementSyncInstance {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
