import { EdgeError } from "../../domain/faults.ts";

/** What a failed call into SQLite means for the outbox. */
export type StorageFault = "no_room" | "damaged" | "unavailable" | "other";

/** Primary result codes (sqlite.org/rescode.html). */
const SQLITE = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 };
/** This library's cursors give the message of `sqlite3_errstr` and no code. */
const CODE_OF_MESSAGE: Readonly<Record<string, number>> = {
  "database is locked": SQLITE.BUSY,
  "attempt to write a readonly database": SQLITE.READONLY,
  "disk I/O error": SQLITE.IOERR,
  "database disk image is malformed": SQLITE.CORRUPT,
  "database or disk is full": SQLITE.FULL,
  "unable to open database file": SQLITE.CANTOPEN,
  "file is not a database": SQLITE.NOTADB,
};
const NO_ROOM_ERRNO = new Set(["ENOSPC", "EDQUOT"]);

/** Primary result code of an SQLite error, null for anything else. */
function resultCode(error: unknown): number | null {
  const { errcode, code, message } = error as { errcode?: unknown; code?: unknown; message?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  return code === "ERR_SQLITE_ERROR" ? (CODE_OF_MESSAGE[String(message)] ?? 1) : null;
}

/** @param hasRoom whether the file system still has free blocks: an I/O error on a full one is the same fault. */
export function storageFaultOf(error: unknown, hasRoom: boolean): StorageFault {
  const code = resultCode(error);
  if (NO_ROOM_ERRNO.has((error as NodeJS.ErrnoException).code ?? "") || code === SQLITE.FULL)
    return "no_room";
  if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) return "damaged";
  if (code === SQLITE.IOERR) return hasRoom ? "unavailable" : "no_room";
  if (code === SQLITE.CANTOPEN || code === SQLITE.READONLY || code === SQLITE.BUSY) return "unavailable";
  return code === null && (error as NodeJS.ErrnoException).errno !== undefined ? "unavailable" : "other";
}

/** The coded error that a person reads. */
export function storageError(error: unknown): EdgeError {
  if (error instanceof EdgeError) return error;
  if (storageFaultOf(error, true) === "no_room") {
    return new EdgeError("DISK_FULL", "the disk is full", { cause: error });
  }
  return resultCode(error) === SQLITE.BUSY
    ? new EdgeError("STATE_IN_USE", "another process has the outbox open", { cause: error })
    : new EdgeError("STATE_DIR", "the outbox cannot be written", { cause: error });
}
