import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { open, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** More than the write-ahead log ever holds: what frees a full disk must be written down first. */
const RESERVE_BYTES = 1024 * 1024;

/** Room that the outbox sets aside while there is some, and gives back to itself when the disk is full. */
export class ReserveFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  get isThere(): boolean {
    return existsSync(this.#file);
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }

  /** Whether the disk could take the reserve itself: enough to go on without one. */
  async hasRoom(): Promise<boolean> {
    return (await freeBytes(dirname(this.#file))) >= RESERVE_BYTES;
  }

  /** Sets the room aside again. @returns false when the disk has too little; then nothing is changed */
  async restore(): Promise<boolean> {
    if (this.isThere) return true;
    try {
      if ((await freeBytes(dirname(this.#file))) < 2 * RESERVE_BYTES) return false;
      const handle = await open(this.#file, "w", 0o600);
      try {
        // Random, so that a compressing file system sets the room aside too.
        await handle.writeFile(randomBytes(RESERVE_BYTES));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      return true;
    } catch {
      await rm(this.#file, { force: true }).catch(() => undefined);
      return false;
    }
  }
}

/** Bytes that this user can still write there; 0 when it cannot be told. */
export async function freeBytes(folder: string): Promise<number> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
}
