// The optional envelope of an archive: scrypt (RFC 7914) makes the key from the passphrase, AES-256-GCM seals 64 KiB at
// a time in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, 2015): the nonce counts the chunks and marks
// the last one, so that chunks can be neither changed, left out, put in another order nor cut off at the end.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { HuishiError } from "@huishi/kernel";

const MAGIC = Buffer.from("huishi-backup-encrypted-1\n", "latin1");
const SALT_BYTES = 16;
const CHECK_BYTES = 16;
const TAG_BYTES = 16;
const CHUNK_BYTES = 64 * 1024;
const HEADER_BYTES = MAGIC.length + SALT_BYTES + CHECK_BYTES;
/** 128 MiB and about half a second for each guess. Fixed by the magic line: a stranger's file cannot ask for more. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const;

interface Keys {
  readonly key: Buffer;
  /** Tells a wrong passphrase from damage. */
  readonly check: Buffer;
}

function deriveKeys(passphrase: string, salt: Buffer): Promise<Keys> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), salt, 64, SCRYPT, (error, derived) => {
      if (error) reject(error);
      else {
        const check = createHash("sha256").update("check").update(derived.subarray(32)).digest();
        resolve({ key: derived.subarray(0, 32), check: check.subarray(0, CHECK_BYTES) });
      }
    });
  });
}

/** 7 zero bytes, 4 of the count, 1 that marks the last chunk. The key is of this file alone, so counting is enough. */
function nonceOf(count: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(count, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Seals what it is given, in order. */
export class Sealer {
  readonly header: Buffer;
  readonly #key: Buffer;
  #pending = Buffer.alloc(0);
  #count = 0;

  private constructor(header: Buffer, key: Buffer) {
    this.header = header;
    this.#key = key;
  }

  static async create(passphrase: string): Promise<Sealer> {
    const salt = randomBytes(SALT_BYTES);
    const { key, check } = await deriveKeys(passphrase, salt);
    return new Sealer(Buffer.concat([MAGIC, salt, check]), key);
  }

  /** The sealed bytes that are ready; one chunk is always held back, for the last one is sealed otherwise. */
  push(bytes: Uint8Array): Buffer {
    const input = Buffer.concat([this.#pending, bytes]);
    const sealed: Buffer[] = [];
    let at = 0;
    for (; input.length - at > CHUNK_BYTES; at += CHUNK_BYTES) {
      sealed.push(...this.#seal(input.subarray(at, at + CHUNK_BYTES), false));
    }
    this.#pending = Buffer.from(input.subarray(at));
    return Buffer.concat(sealed);
  }

  finish(): Buffer {
    return Buffer.concat(this.#seal(this.#pending, true));
  }

  #seal(chunk: Buffer, isLast: boolean): Buffer[] {
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(this.#count++, isLast));
    // The header is bound to every chunk.
    cipher.setAAD(this.header);
    return [cipher.update(chunk), cipher.final(), cipher.getAuthTag()];
  }
}

/** True when a file begins as an encrypted archive does. */
export function isSealed(beginning: Buffer): boolean {
  return beginning.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Opens what a Sealer made. `read(at, length)` gives the file's bytes there.
 *
 * @throws HuishiError BACKUP_PASSPHRASE_WRONG, BACKUP_DAMAGED
 */
export async function* unseal(
  file: { readonly bytes: number; read(at: number, length: number): Promise<Buffer> },
  passphrase: string,
): AsyncGenerator<Buffer> {
  const header = await file.read(0, HEADER_BYTES);
  if (header.length < HEADER_BYTES) throw damaged();
  const { key, check } = await deriveKeys(
    passphrase,
    header.subarray(MAGIC.length, MAGIC.length + SALT_BYTES),
  );
  if (!timingSafeEqual(check, header.subarray(HEADER_BYTES - CHECK_BYTES))) {
    throw new HuishiError("BACKUP_PASSPHRASE_WRONG", "the passphrase is not the one of this archive");
  }
  for (let at = HEADER_BYTES, count = 0; ; count++) {
    const sealed = await file.read(at, CHUNK_BYTES + TAG_BYTES);
    if (sealed.length < TAG_BYTES) throw damaged();
    at += sealed.length;
    const isLast = at >= file.bytes;
    yield openChunk(sealed, key, nonceOf(count, isLast), header);
    if (isLast) return;
  }
}

function openChunk(sealed: Buffer, key: Buffer, nonce: Buffer, header: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(header);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw damaged(cause);
  }
}

const damaged = (cause?: unknown): HuishiError =>
  new HuishiError("BACKUP_DAMAGED", "the archive was changed or cut off after it was written", { cause });
