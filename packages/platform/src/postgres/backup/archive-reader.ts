import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { HuishiError, messageOf } from "@huishi/kernel";
import { SEAL_NAME } from "./archive-writer.ts";
import { isSealed, unseal } from "./encryption.ts";
import { BLOCK_BYTES, decodeHeader, END_OF_TAR, paddingOf } from "./tar.ts";

const READ_BYTES = 256 * 1024;

/** One file of an archive. Its content is read once and in full before the next entry is asked for. */
export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: number;
  chunks(): AsyncGenerator<Buffer>;
  /** The whole content; BACKUP_DAMAGED when it is larger than `maxBytes`. */
  content(maxBytes: number): Promise<Buffer>;
}

export interface ArchiveSource {
  readonly file: string;
  readonly passphrase: string | null;
  /** Told how many bytes of the archive have been read, of how many. */
  readonly onRead?: (read: number, total: number) => void;
}

/**
 * The entries of an archive in their order, without the seal, which is compared when it comes: an archive that was
 * read to its end is byte for byte what was written. Memory: one read (256 KiB).
 *
 * @throws HuishiError BACKUP_FILE_UNREADABLE, BACKUP_PASSPHRASE_MISSING, BACKUP_PASSPHRASE_WRONG, BACKUP_DAMAGED
 */
export async function* readArchive(source: ArchiveSource): AsyncGenerator<ArchiveEntry> {
  const handle = await open(source.file, "r").catch((cause: unknown) => {
    throw new HuishiError("BACKUP_FILE_UNREADABLE", `${source.file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  });
  try {
    yield* entriesOf(new ByteReader(await plainBytes(handle, source)));
  } finally {
    await handle.close();
  }
}

async function plainBytes(handle: FileHandle, source: ArchiveSource): Promise<AsyncGenerator<Buffer>> {
  const total = (await handle.stat()).size;
  const read = async (at: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    source.onRead?.(at + filled, total);
    return buffer.subarray(0, filled);
  };
  if (!isSealed(await read(0, BLOCK_BYTES))) return pieces(read);
  if (source.passphrase === null) {
    throw new HuishiError(
      "BACKUP_PASSPHRASE_MISSING",
      "the archive is encrypted: give the file with its passphrase (--passphrase-file)",
    );
  }
  return unseal({ bytes: total, read }, source.passphrase);
}

async function* pieces(read: (at: number, length: number) => Promise<Buffer>): AsyncGenerator<Buffer> {
  for (let at = 0; ;) {
    const piece = await read(at, READ_BYTES);
    if (piece.length === 0) return;
    at += piece.length;
    yield piece;
  }
}

async function* entriesOf(reader: ByteReader): AsyncGenerator<ArchiveEntry> {
  let modifiedAtS: number | null = null;
  for (;;) {
    const before = reader.digestSoFar();
    const header = decodeHeader(await reader.take(BLOCK_BYTES));
    // All entries bear the time of the first: a change of any of them is damage.
    modifiedAtS ??= header?.modifiedAtS ?? null;
    if (header === null || header.modifiedAtS !== modifiedAtS) throw damaged();
    if (header.name === SEAL_NAME) return await requireSeal(reader, header.bytes, before);
    let left = header.bytes;
    const chunks = async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const chunk = await reader.takeSome(left);
        left -= chunk.length;
        yield chunk;
      }
    };
    const content = async (maxBytes: number): Promise<Buffer> => {
      if (header.bytes > maxBytes) throw damaged();
      left = 0;
      return reader.take(header.bytes);
    };
    yield { name: header.name, bytes: header.bytes, chunks, content };
    for await (const unread of chunks()) void unread;
    requireZero(await reader.take(paddingOf(header.bytes)));
  }
}

async function requireSeal(reader: ByteReader, bytes: number, digest: string): Promise<void> {
  if (bytes !== 65) throw damaged();
  const seal = await reader.take(bytes);
  if (seal.toString("latin1") !== `${digest}\n`) throw damaged();
  requireZero(await reader.take(paddingOf(bytes)));
  requireZero(await reader.take(END_OF_TAR.length));
  await reader.requireEnd();
}

function requireZero(bytes: Buffer): void {
  if (bytes.some((byte) => byte !== 0)) throw damaged();
}

/** Takes exact numbers of bytes from pieces of any size. */
class ByteReader {
  readonly #source: AsyncGenerator<Buffer>;
  readonly #hash: Hash = createHash("sha256");
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncGenerator<Buffer>) {
    this.#source = source;
  }

  digestSoFar(): string {
    return this.#hash.copy().digest("hex");
  }

  async take(bytes: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      const some = await this.takeSome(left);
      left -= some.length;
      taken.push(some);
    }
    return taken.length === 1 ? (taken[0] as Buffer) : Buffer.concat(taken);
  }

  /** At least one byte, at most `most`. */
  async takeSome(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) throw damaged();
      this.#rest = next.value;
    }
    const some = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(some.length);
    this.#hash.update(some);
    return some;
  }

  async requireEnd(): Promise<void> {
    if (this.#rest.length > 0) throw damaged();
    for await (const more of this.#source) if (more.length > 0) throw damaged();
  }
}

const damaged = (): HuishiError =>
  new HuishiError(
    "BACKUP_DAMAGED",
    "the file is no backup of Huishi, or it was changed or cut off after it was written: use another copy",
  );
