// The archive's container: a ustar file (POSIX.1-1988, pax(1) "ustar Interchange Format") of plain files only, in one
// canonical form, so that any tar reads it and our reader can tell every other byte as damage.
import { HuishiError } from "@huishi/kernel";

export const BLOCK_BYTES = 512;
/** Two empty blocks end a tar file. */
export const END_OF_TAR = Buffer.alloc(2 * BLOCK_BYTES);
/** Eleven octal digits. */
const MAX_ENTRY_BYTES = 8 ** 11 - 1;

export interface TarHeader {
  /** Path with `/`, without a leading one. */
  readonly name: string;
  readonly bytes: number;
  /** Seconds since 1970. */
  readonly modifiedAtS: number;
}

/**
 * The header block of one file.
 *
 * @throws HuishiError BACKUP_FILE_UNUSABLE when ustar cannot hold the path (100 bytes after and 155 before some `/`)
 * or the size (8 GiB).
 */
export function encodeHeader(header: TarHeader): Buffer {
  const { prefix, name } = splitName(header.name);
  if (header.bytes > MAX_ENTRY_BYTES) throw unusable(`${header.name} is larger than 8 GiB`);
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, "utf8");
  block.write("0000600\0", 100, "latin1");
  block.write("0000000\0", 108, "latin1");
  block.write("0000000\0", 116, "latin1");
  block.write(`${header.bytes.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  block.write(`${header.modifiedAtS.toString(8).padStart(11, "0")}\0`, 136, "latin1");
  block.write("        ", 148, "latin1");
  block.write("0", 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(prefix, 345, "utf8");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Reads a header block; null for an empty block. Throws BACKUP_DAMAGED for anything `encodeHeader` does not make. */
export function decodeHeader(block: Buffer): TarHeader | null {
  if (block.every((byte) => byte === 0)) return null;
  const text = (at: number, length: number): string => {
    const field = block.subarray(at, at + length);
    const end = field.indexOf(0);
    return field.subarray(0, end === -1 ? length : end).toString("utf8");
  };
  const prefix = text(345, 155);
  const name = text(0, 100);
  const header: TarHeader = {
    name: prefix === "" ? name : `${prefix}/${name}`,
    bytes: Number.parseInt(text(124, 12), 8),
    modifiedAtS: Number.parseInt(text(136, 12), 8),
  };
  if (!Number.isSafeInteger(header.bytes) || !Number.isSafeInteger(header.modifiedAtS)) throw damaged();
  let expected: Buffer;
  try {
    expected = encodeHeader(header);
  } catch (cause) {
    throw damaged(cause);
  }
  if (!expected.equals(block)) throw damaged();
  return header;
}

/** How many zero bytes follow a content of this length. */
export function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function splitName(path: string): { prefix: string; name: string } {
  const length = (text: string): number => Buffer.byteLength(text, "utf8");
  if (length(path) <= 100) return { prefix: "", name: path };
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== "" && length(name) <= 100 && length(prefix) <= 155) return { prefix, name };
  }
  throw unusable(`the path ${path} is too long`);
}

const unusable = (what: string): HuishiError =>
  new HuishiError("BACKUP_FILE_UNUSABLE", `${what}: move it out of the state folder`);

const damaged = (cause?: unknown): HuishiError =>
  new HuishiError("BACKUP_DAMAGED", "a header of the archive is not as it was written", { cause });
