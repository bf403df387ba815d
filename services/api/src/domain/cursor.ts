import { HuishiError } from "@huishi/kernel";

/**
 * Where a consumer stands in the stream of changes: transaction id and row id of the last change that it has.
 * Changes are ordered by (tx, id); only rows of transactions older than every running one are ever read, so no
 * row can later appear before a cursor.
 */
export interface Cursor {
  readonly tx: bigint;
  readonly id: bigint;
}

export const CURSOR_START: Cursor = { tx: 0n, id: 0n };
const cursorRegExp = /^([0-9]{1,20})-([0-9]{1,20})$/;
const MAX_XID8 = 2n ** 64n - 1n;
const MAX_BIGINT = 2n ** 63n - 1n;

/** @throws HuishiError VALIDATION_FAILED when the text is no cursor. */
export function parseCursor(text: string): Cursor {
  const match = cursorRegExp.exec(text);
  const cursor = match ? { tx: BigInt(match[1] as string), id: BigInt(match[2] as string) } : null;
  if (cursor === null || cursor.tx > MAX_XID8 || cursor.id > MAX_BIGINT) {
    throw new HuishiError(
      "VALIDATION_FAILED",
      "The cursor is not one that this server gave; say hello without it.",
      {
        details: { field: "cursor" },
      },
    );
  }
  return cursor;
}

export function formatCursor(cursor: Cursor): string {
  return `${cursor.tx}-${cursor.id}`;
}

/** Negative when `a` comes before `b`, positive when after, 0 when they are the same place. */
export function compareCursors(a: Cursor, b: Cursor): number {
  if (a.tx !== b.tx) return a.tx < b.tx ? -1 : 1;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return 0;
}
