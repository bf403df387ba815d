import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { HuishiError, messageOf } from "@huishi/kernel";
import { Sealer } from "./encryption.ts";
import { encodeHeader, END_OF_TAR, paddingOf } from "./tar.ts";

/** The last entry: sha-256, in hexadecimal, of every byte before its own header. */
export const SEAL_NAME = "SHA256";

/**
 * Writes an archive to `FILE.partial` (mode 0600) and renames it when it is whole and on the disk: a file of the
 * final name is always a finished one. Nothing is buffered but what encryption holds back (64 KiB).
 *
 * Errors: BACKUP_DISK_FULL, BACKUP_FILE_UNWRITABLE, BACKUP_EXISTS, BACKUP_FILE_UNUSABLE.
 */
export class ArchiveWriter {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #sealer: Sealer | null;
  readonly #modifiedAtS: number;
  readonly #hash = createHash("sha256");
  #written = 0;

  private constructor(file: string, handle: FileHandle, sealer: Sealer | null, modifiedAtS: number) {
    this.#file = file;
    this.#handle = handle;
    this.#sealer = sealer;
    this.#modifiedAtS = modifiedAtS;
  }

  static async create(file: string, passphrase: string | null, createdAt: Date): Promise<ArchiveWriter> {
    const sealer = passphrase === null ? null : await Sealer.create(passphrase);
    let writer: ArchiveWriter | null = null;
    try {
      await refuseExisting(file);
      // What a killed run left; `wx` then never follows a link that somebody put there.
      await rm(partialOf(file), { force: true });
      const handle = await open(partialOf(file), "wx", 0o600);
      writer = new ArchiveWriter(file, handle, sealer, Math.floor(createdAt.getTime() / 1000));
      if (sealer !== null) await writer.#toDisk(sealer.header);
      return writer;
    } catch (thrown) {
      await writer?.abort();
      throw asFileError(thrown, file);
    }
  }

  /** Bytes in the file so far. */
  get bytesWritten(): number {
    return this.#written;
  }

  /** One file. `content` must give exactly `bytes` bytes. */
  async add(
    name: string,
    bytes: number,
    content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    await this.#write(encodeHeader({ name, bytes, modifiedAtS: this.#modifiedAtS }));
    let given = 0;
    for await (const chunk of content) {
      given += chunk.byteLength;
      if (given > bytes) break;
      await this.#write(chunk);
    }
    if (given !== bytes) {
      throw new HuishiError("BACKUP_FILE_CHANGED", `${name} changed while it was read: run the backup again`);
    }
    await this.#write(Buffer.alloc(paddingOf(bytes)));
  }

  /** Ends the archive, and gives it its name once it is on the disk. */
  async finish(): Promise<void> {
    const seal = Buffer.from(`${this.#hash.copy().digest("hex")}\n`, "latin1");
    await this.add(SEAL_NAME, seal.length, [seal]);
    await this.#write(END_OF_TAR);
    try {
      if (this.#sealer !== null) await this.#toDisk(this.#sealer.finish());
      await this.#handle.sync();
      await this.#handle.close();
      await refuseExisting(this.#file);
      await rename(partialOf(this.#file), this.#file);
      await syncFolder(path.dirname(this.#file));
    } catch (thrown) {
      throw asFileError(thrown, this.#file);
    }
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(partialOf(this.#file), { force: true }).catch(() => {});
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return;
    this.#hash.update(bytes);
    try {
      await this.#toDisk(this.#sealer === null ? bytes : this.#sealer.push(bytes));
    } catch (thrown) {
      throw asFileError(thrown, this.#file);
    }
  }

  async #toDisk(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      const { bytesWritten } = await this.#handle.write(bytes, at);
      at += bytesWritten;
      this.#written += bytesWritten;
    }
  }
}

const partialOf = (file: string): string => `${file}.partial`;

async function refuseExisting(file: string): Promise<void> {
  const existing = await open(file, "r").catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return null;
    throw thrown;
  });
  if (existing === null) return;
  await existing.close();
  throw new HuishiError("BACKUP_EXISTS", `${file} exists already: give another name`);
}

/** The rename itself must survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  // Some file systems cannot sync a folder; the archive itself is on the disk.
  await handle.sync().catch(() => {});
  await handle.close();
}

function asFileError(thrown: unknown, file: string): HuishiError {
  if (thrown instanceof HuishiError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new HuishiError(
      "BACKUP_DISK_FULL",
      `the disk of ${file} is full; the unfinished file was removed: free some room or give a file on another disk`,
      { cause: thrown },
    );
  }
  return new HuishiError("BACKUP_FILE_UNWRITABLE", `${file} cannot be written: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}
