import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { HuishiError } from "@huishi/kernel";
import { type ArchiveEntry, type ArchiveSource, readArchive } from "./archive-reader.ts";
import { requireRelative } from "./kept-files.ts";
import {
  type BackupManifest,
  FILES_FOLDER,
  MANIFEST_NAME,
  MAX_MANIFEST_BYTES,
  parseManifest,
  partName,
} from "./manifest.ts";
import { PART_BYTES } from "./table-parts.ts";

const decompress = promisify(gunzip);
/** Incompressible bytes grow a little in gzip. */
const MAX_COMPRESSED_BYTES = PART_BYTES + 64 * 1024;

/** What was found in an archive for one table or one file. */
interface Found {
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
}

/**
 * Reads an archive in full and compares everything in it with its manifest, without a database: it returns only for an
 * archive that is whole. What it proves against: accident. Against a forger only an encrypted archive is proof.
 *
 * Errors: those of `readArchive`; BACKUP_DAMAGED; BACKUP_FORMAT_NEWER; BACKUP_STOPPED.
 */
export async function verifyBackup(source: ArchiveSource, signal?: AbortSignal): Promise<BackupManifest> {
  const found = new Map<string, Found>();
  let manifest: BackupManifest | null = null;
  const tables = new TableHashes(found);
  for await (const entry of readArchive(source)) {
    if (signal?.aborted) throw new HuishiError("BACKUP_STOPPED", "stopped before its end");
    if (manifest !== null) throw damaged(`${entry.name} comes after the manifest`);
    if (entry.name === MANIFEST_NAME) {
      manifest = parseManifest((await entry.content(MAX_MANIFEST_BYTES)).toString("utf8"));
    } else if (entry.name.startsWith(FILES_FOLDER)) {
      requireRelative(entry.name.slice(FILES_FOLDER.length), "BACKUP_DAMAGED");
      found.set(entry.name, await hashFile(entry));
    } else {
      await tables.add(entry);
    }
  }
  tables.close();
  if (manifest === null) throw damaged("it has no manifest");
  compare(manifest, found);
  return manifest;
}

async function hashFile(entry: ArchiveEntry): Promise<Found> {
  const hash = createHash("sha256");
  for await (const chunk of entry.chunks()) hash.update(chunk);
  return { bytes: entry.bytes, sha256: hash.digest("hex"), rows: 0 };
}

/** Puts the parts of each table together, which come one after the other. */
class TableHashes {
  readonly #found: Map<string, Found>;
  #open: {
    table: string;
    part: number;
    bytes: number;
    rows: number;
    hash: ReturnType<typeof createHash>;
  } | null = null;

  constructor(found: Map<string, Found>) {
    this.#found = found;
  }

  async add(entry: ArchiveEntry): Promise<void> {
    const table = tableOfPart(entry.name);
    if (table === null) throw damaged(`${entry.name} does not belong into it`);
    if (this.#open?.table !== table) {
      this.close();
      if (this.#found.has(tableKey(table))) throw damaged(`the parts of ${table} do not lie together`);
      this.#open = { table, part: 0, bytes: 0, rows: 0, hash: createHash("sha256") };
    }
    const open = this.#open;
    open.part += 1;
    if (entry.name !== partName(table, open.part)) throw damaged(`a part of ${table} is missing`);
    const text = await readPart(entry);
    open.bytes += text.length;
    open.rows += countLines(text);
    open.hash.update(text);
  }

  close(): void {
    if (this.#open === null) return;
    const { table, bytes, rows, hash } = this.#open;
    this.#found.set(tableKey(table), { bytes, rows, sha256: hash.digest("hex") });
    this.#open = null;
  }
}

const tableKey = (table: string): string => `tables/${table}`;

/** The table that an entry holds a part of; null when it holds none. */
export function tableOfPart(entryName: string): string | null {
  const encoded = /^tables\/([^/]+)\/\d{6,}\.copy\.gz$/.exec(entryName)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

/** The COPY text of one part; never more than a part may hold, whatever the archive says. */
export async function readPart(entry: ArchiveEntry): Promise<Buffer> {
  const compressed = await entry.content(MAX_COMPRESSED_BYTES);
  try {
    return await decompress(compressed, { maxOutputLength: PART_BYTES });
  } catch (cause) {
    throw new HuishiError("BACKUP_DAMAGED", `${entry.name} of the archive is damaged`, { cause });
  }
}

/** In COPY's text a line feed ends a row, and stands nowhere else. */
function countLines(text: Buffer): number {
  let lines = 0;
  for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, at + 1)) lines += 1;
  return lines;
}

const EMPTY: Found = { bytes: 0, rows: 0, sha256: createHash("sha256").digest("hex") };

function compare(manifest: BackupManifest, found: ReadonlyMap<string, Found>): void {
  const expected = new Set<string>();
  for (const table of manifest.tables) {
    expected.add(tableKey(table.name));
    const { bytes, rows, sha256 } = found.get(tableKey(table.name)) ?? EMPTY;
    if (bytes !== table.bytes || rows !== table.rows || sha256 !== table.sha256) {
      throw damaged(`table ${table.name} is not what the manifest says`);
    }
  }
  for (const file of manifest.files) {
    const name = `${FILES_FOLDER}${file.path}`;
    expected.add(name);
    const { bytes, sha256 } = found.get(name) ?? { bytes: -1, sha256: "" };
    if (bytes !== file.bytes || sha256 !== file.sha256)
      throw damaged(`${name} is not what the manifest says`);
  }
  for (const name of found.keys())
    if (!expected.has(name)) throw damaged(`the manifest does not name ${name}`);
}

const damaged = (what: string): HuishiError =>
  new HuishiError("BACKUP_DAMAGED", `the archive is damaged: ${what}; use another copy`);
