import { EdgeError } from "../../domain/faults.ts";

/** What a failed call into SQLite means for the outbox. */
export type StorageFault = "no_room" | "damaged" | "unavailable" | "other";

/** Primary result codes (sqlite.org/rescode.html). */
const SQLITE = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 };
const NO_ROOM_ERRNO = new Set(["ENOSPC", "EDQUOT"]);

/** Primary result code of an SQLite error, null for anything else. */
function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : null;
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
