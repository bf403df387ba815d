import { HuishiError } from "@huishi/kernel";

/**
 * Rows in PostgreSQL's binary COPY format, framed as CopyData messages
 * (PostgreSQL documentation: COPY, "Binary Format"; §55.7 "Message Formats").
 */
export type CopyType =
  "bool" | "int2" | "int4" | "int8" | "float8" | "text" | "timestamptz" | "jsonb" | "bytea";

export interface CopyColumn {
  readonly name: string;
  readonly type: CopyType;
}

/**
 * What each type takes: int8 bigint, number or decimal text; timestamptz Date or epoch milliseconds; jsonb any
 * JSON value; bytea Uint8Array; null (or undefined) is NULL for all.
 */
export type CopyRow = readonly unknown[];

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** Milliseconds between the Unix epoch and PostgreSQL's, 2000-01-01 UTC. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const COPY_DATA = 0x64;
const COPY_DONE = 0x63;

const FIXED_BYTES = { bool: 1, int2: 2, int4: 4, int8: 8, float8: 8, timestamptz: 8 } as const;
type FixedType = keyof typeof FIXED_BYTES;

/** Where each value of a row stands when all its columns are of fixed size and none is null. */
interface FixedLayout {
  /** A row with every count and length in place. */
  readonly template: Uint8Array;
  readonly types: readonly FixedType[];
  readonly offsets: readonly number[];
}

function fixedLayout(columns: readonly CopyColumn[]): FixedLayout | null {
  const types: FixedType[] = [];
  const offsets: number[] = [];
  let length = 2;
  for (const { type } of columns) {
    if (!(type in FIXED_BYTES)) return null;
    const fixed = type as FixedType;
    types.push(fixed);
    offsets.push(length + 4);
    length += 4 + FIXED_BYTES[fixed];
  }
  const template = Buffer.alloc(length);
  template.writeInt16BE(columns.length, 0);
  for (const [index, type] of types.entries())
    template.writeInt32BE(FIXED_BYTES[type], (offsets[index] ?? 4) - 4);
  return { template, types, offsets };
}

/** Encodes rows into one growing buffer that is used again for every chunk. */
export class BinaryCopyEncoder {
  readonly #columns: readonly CopyColumn[];
  readonly #layout: FixedLayout | null;
  #buffer: Buffer;
  #view: DataView;
  #length = 0;
  #messageStart = -1;

  /** @param buffer what to write into; a larger one replaces it when it is too small */
  constructor(columns: readonly CopyColumn[], buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)) {
    this.#columns = columns;
    this.#layout = fixedLayout(columns);
    this.#buffer = buffer;
    this.#view = viewOf(this.#buffer);
  }

  /** What it writes into now, to be used again once everything has been written out. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Bytes of the chunk so far. */
  get byteLength(): number {
    return this.#length;
  }

  /** Starts the stream: the first chunk carries the signature. */
  begin(): void {
    this.#length = 0;
    this.#openMessage();
    this.#reserve(SIGNATURE.byteLength);
    SIGNATURE.copy(this.#buffer, this.#length);
    this.#length += SIGNATURE.byteLength;
  }

  /** Adds one row. Throws COPY_VALUE when a value does not fit its column; the chunk is then of no use. */
  addRow(row: CopyRow): void {
    if (row.length !== this.#columns.length) {
      throw new HuishiError(
        "COPY_VALUE",
        `a row has ${row.length} values for ${this.#columns.length} columns`,
      );
    }
    this.#openMessage();
    if (this.#layout && this.#addFixedRow(this.#layout, row)) return;
    this.#reserve(2);
    this.#length = this.#buffer.writeInt16BE(row.length, this.#length);
    for (let i = 0; i < row.length; i++) {
      const column = this.#columns[i] as CopyColumn;
      try {
        this.#addValue(column.type, row[i]);
      } catch (cause) {
        throw new HuishiError("COPY_VALUE", `the value of column "${column.name}" is no ${column.type}`, {
          cause,
        });
      }
    }
  }

  /** Ends the stream: adds the trailer, and CopyDone behind it. */
  finish(): void {
    this.#openMessage();
    this.#reserve(7);
    this.#length = this.#buffer.writeInt16BE(-1, this.#length);
    this.#closeMessage();
    this.#length = this.#buffer.writeUInt8(COPY_DONE, this.#length);
    this.#length = this.#buffer.writeInt32BE(4, this.#length);
  }

  /** The finished chunk, valid until the next `begin`, `addRow` or `finish`: write it out before going on. */
  takeChunk(): Buffer {
    this.#closeMessage();
    const chunk = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return chunk;
  }

  #closeMessage(): void {
    if (this.#messageStart < 0) return;
    this.#buffer.writeInt32BE(this.#length - this.#messageStart - 1, this.#messageStart + 1);
    this.#messageStart = -1;
  }

  #openMessage(): void {
    if (this.#messageStart >= 0) return;
    this.#reserve(5);
    this.#messageStart = this.#length;
    this.#buffer[this.#length] = COPY_DATA;
    this.#length += 5;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.byteLength * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
    this.#view = viewOf(grown);
  }

  /**
   * The common case, three times as fast: one copy of the template, then the values. Returns false, with nothing
   * added, when a value is not of the plainest kind: the general way then takes it or says what is wrong.
   */
  #addFixedRow({ template, types, offsets }: FixedLayout, row: CopyRow): boolean {
    this.#reserve(template.length);
    const start = this.#length;
    this.#buffer.set(template, start);
    const view = this.#view;
    for (let i = 0; i < types.length; i++) {
      const value = row[i];
      const at = start + (offsets[i] as number);
      if (typeof value !== "number") {
        if (typeof value === "boolean" && types[i] === "bool") view.setUint8(at, value ? 1 : 0);
        else if (typeof value === "bigint" && types[i] === "int8" && BigInt.asIntN(64, value) === value) {
          view.setBigInt64(at, value);
        } else return false;
      } else if (!setNumber(view, at, types[i] as FixedType, value)) return false;
    }
    this.#length = start + template.length;
    return true;
  }

  #addValue(type: CopyType, value: unknown): void {
    if (value === null || value === undefined) {
      this.#reserve(4);
      this.#length = this.#buffer.writeInt32BE(-1, this.#length);
      return;
    }
    switch (type) {
      case "text":
        this.#addText(requireText(value), false);
        return;
      case "jsonb":
        this.#addText(requireText(JSON.stringify(value)), true);
        return;
      case "bytea":
        this.#addBytes(value);
        return;
      default:
        this.#addFixed(type, value);
    }
  }

  #addFixed(type: Exclude<CopyType, "text" | "jsonb" | "bytea">, value: unknown): void {
    this.#reserve(12);
    const at = this.#buffer.writeInt32BE(FIXED_BYTES[type], this.#length);
    const buffer = this.#buffer;
    switch (type) {
      case "bool":
        if (typeof value !== "boolean") throw new TypeError("not a boolean");
        this.#length = buffer.writeUInt8(value ? 1 : 0, at);
        return;
      case "int2":
        this.#length = buffer.writeInt16BE(requireInteger(value), at);
        return;
      case "int4":
        this.#length = buffer.writeInt32BE(requireInteger(value), at);
        return;
      case "float8":
        if (typeof value !== "number") throw new TypeError("not a number");
        this.#length = buffer.writeDoubleBE(value, at);
        return;
      case "int8":
        this.#length = writeInt64(buffer, value, at);
        return;
      case "timestamptz":
        this.#length = writeTimestamp(buffer, value, at);
    }
  }

  /** Length-prefixed UTF-8; jsonb has a version byte, 1, in front. */
  #addText(text: string, versioned: boolean): void {
    this.#reserve(5 + text.length * 3);
    const start = this.#length + 4;
    let at = start;
    if (versioned) at = this.#buffer.writeUInt8(1, at);
    at += this.#buffer.write(text, at, "utf8");
    this.#buffer.writeInt32BE(at - start, this.#length);
    this.#length = at;
  }

  #addBytes(value: unknown): void {
    if (!(value instanceof Uint8Array)) throw new TypeError("not a Uint8Array");
    this.#reserve(4 + value.byteLength);
    this.#length = this.#buffer.writeInt32BE(value.byteLength, this.#length);
    this.#buffer.set(value, this.#length);
    this.#length += value.byteLength;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Writes a number where it fits its column exactly; false where it does not. */
function setNumber(view: DataView, at: number, type: FixedType, value: number): boolean {
  switch (type) {
    case "int2":
      if ((value << 16) >> 16 !== value) return false;
      view.setInt16(at, value);
      return true;
    case "int4":
      if ((value | 0) !== value) return false;
      view.setInt32(at, value);
      return true;
    case "float8":
      view.setFloat64(at, value);
      return true;
    case "int8":
      if (!Number.isSafeInteger(value)) return false;
      setSafeInteger(view, at, value);
      return true;
    case "timestamptz": {
      const micros = (value - POSTGRES_EPOCH_MS) * 1000;
      if (!Number.isSafeInteger(micros)) return false;
      setSafeInteger(view, at, micros);
      return true;
    }
    default:
      return false;
  }
}

/** A safe integer as int64 without a BigInt. */
function setSafeInteger(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * 0x1_0000_0000);
}

function requireText(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

/** Buffer.write* truncates fractions silently; a column of whole numbers must not. */
function requireInteger(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError("not a whole number");
  return value as number;
}

function writeInt64(buffer: Buffer, value: unknown, at: number): number {
  if (typeof value === "number") return writeSafeInteger(buffer, requireInteger(value), at);
  if (typeof value !== "bigint" && (typeof value !== "string" || !/^-?\d+$/.test(value))) {
    throw new TypeError("not a 64-bit whole number");
  }
  return buffer.writeBigInt64BE(BigInt(value), at);
}

/** A safe integer as int64 without a BigInt: twice as fast. */
function writeSafeInteger(buffer: Buffer, value: number, at: number): number {
  const high = Math.floor(value / 0x1_0000_0000);
  buffer.writeInt32BE(high, at);
  return buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
}

function writeTimestamp(buffer: Buffer, value: unknown, at: number): number {
  const epochMs = value instanceof Date ? value.getTime() : value;
  if (typeof epochMs !== "number" || !Number.isFinite(epochMs)) throw new TypeError("not a time");
  const micros = Math.round((epochMs - POSTGRES_EPOCH_MS) * 1000);
  // Beyond 285 years from 2000 a double cannot hold every microsecond.
  if (!Number.isSafeInteger(micros)) {
    return buffer.writeBigInt64BE(BigInt(Math.round(epochMs - POSTGRES_EPOCH_MS)) * 1000n, at);
  }
  return writeSafeInteger(buffer, micros, at);
}
