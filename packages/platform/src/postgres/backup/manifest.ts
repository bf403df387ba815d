import { HuishiError } from "@huishi/kernel";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

export const MANIFEST_NAME = "manifest.json";
/** Raised when an older reader would misread an archive. */
export const FORMAT_VERSION = 1;
/** A manifest of thousands of tables and files is far below. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const count = Type.Integer({ minimum: 0 });

const tableRecord = Type.Object({
  name: Type.String({ minLength: 1 }),
  columns: Type.Array(Type.Object({ name: Type.String({ minLength: 1 }), type: Type.String() }), {
    minItems: 1,
  }),
  rows: count,
  /** Of the COPY text, before compression. */
  bytes: count,
  sha256,
  /** Sum of the rows' 64-bit hashes, in decimal: the same in whatever order the rows lie (row-hash.ts). */
  rowHash: Type.String({ pattern: "^-?\\d+$" }),
  /** Of a table that is cut by time: the times of its chunks, as PostgreSQL reads them. */
  ranges: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
});

const manifest = Type.Object({
  format: Type.Literal("huishi-backup"),
  formatVersion: Type.Integer({ minimum: 1 }),
  productVersion: Type.String(),
  createdAt: Type.String(),
  server: Type.Object({ version: Type.String(), mode: Type.String() }),
  migrations: Type.Array(Type.Object({ number: count, name: Type.String(), sha256 })),
  tables: Type.Array(tableRecord),
  tablesLeftOut: Type.Array(Type.Object({ name: Type.String(), reason: Type.String() })),
  sequences: Type.Array(
    Type.Object({
      name: Type.String({ minLength: 1 }),
      lastValue: Type.String({ pattern: "^-?\\d+$" }),
      isCalled: Type.Boolean(),
    }),
  ),
  files: Type.Array(Type.Object({ path: Type.String({ minLength: 1 }), bytes: count, sha256 })),
  filesLeftOut: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() })),
});

/** What an archive holds (docs/backup.md). */
export type BackupManifest = Static<typeof manifest>;
export type TableRecord = Static<typeof tableRecord>;

/** @throws HuishiError BACKUP_DAMAGED, BACKUP_FORMAT_NEWER */
export function parseManifest(text: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HuishiError("BACKUP_DAMAGED", "the archive's manifest cannot be read", { cause });
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === "number" && version > FORMAT_VERSION) {
    throw new HuishiError(
      "BACKUP_FORMAT_NEWER",
      `the archive has format ${version}, this version reads up to ${FORMAT_VERSION}: use the newer version`,
    );
  }
  if (!Value.Check(manifest, value)) {
    throw new HuishiError("BACKUP_DAMAGED", "the archive's manifest is not one of Huishi");
  }
  return value;
}

/** `tables/detection/000001.copy.gz`: the parts of a table, one after the other, are one gzip file. */
export function partName(table: string, part: number): string {
  return `tables/${encodeURIComponent(table)}/${String(part).padStart(6, "0")}.copy.gz`;
}

export const FILES_FOLDER = "config/";
