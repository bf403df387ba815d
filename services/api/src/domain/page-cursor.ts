import { HuishiError } from "@huishi/kernel";

/** Where a page ended: the keyset of its last row, as text. */
export type Keyset = readonly string[];

const integerRegExp = /^-?[0-9]{1,19}$/;
const MAX_BIGINT = 2n ** 63n - 1n;

/** A keyset as text that a URL takes as it is. `kind` keeps cursors of one question out of another. */
export function formatPageCursor(kind: string, keyset: Keyset): string {
  return Buffer.from(JSON.stringify([kind, ...keyset])).toString("base64url");
}

/**
 * @param length how many fields the keyset of this question has
 * @throws HuishiError VALIDATION_FAILED when the text is no cursor of this question
 */
export function parsePageCursor(kind: string, text: string, length: number): Keyset {
  const fields = parseFields(text);
  const [given, ...keyset] = fields ?? [];
  if (given !== kind || keyset.length !== length) throw cursorInvalid();
  return keyset;
}

/** A field of a keyset that has to be a 64-bit integer; stays text. */
export function integerField(keyset: Keyset, index: number): string {
  const field = keyset[index] ?? "";
  if (!integerRegExp.test(field)) throw cursorInvalid();
  const value = BigInt(field);
  if (value > MAX_BIGINT || value < -MAX_BIGINT - 1n) throw cursorInvalid();
  return field;
}

/** A field of a keyset that has to be a time in epoch milliseconds. */
export function timeField(keyset: Keyset, index: number): number {
  const value = Number(integerField(keyset, index));
  if (value < 0 || value > 8.64e12) throw cursorInvalid();
  return value;
}

function parseFields(text: string): string[] | null {
  try {
    const fields: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    const isFields = Array.isArray(fields) && fields.every((field) => typeof field === "string");
    return isFields ? (fields as string[]) : null;
  } catch {
    return null;
  }
}

function cursorInvalid(): HuishiError {
  return new HuishiError(
    "VALIDATION_FAILED",
    "`after` is not a cursor of this question; take `next` of the page before as it is, or begin without it.",
    { details: { field: "after", where: "querystring" } },
  );
}
