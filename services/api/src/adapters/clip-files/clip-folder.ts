import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ClipFiles } from "../../application/clips.ts";

const ID = /^[a-z0-9-]{1,64}$/;

/** The complete clips that ingest wrote: `<id>.clip`. */
export class ClipFolder implements ClipFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async pictures(clipId: string): Promise<AsyncIterable<Uint8Array> | null> {
    if (!ID.test(clipId)) return null;
    const file = join(this.#folder, `${clipId}.clip`);
    if (!(await stat(file).catch(() => null))) return null;
    const handle = await open(file, "r");
    const length = Buffer.alloc(4);
    try {
      await handle.read(length, 0, 4, 0);
    } finally {
      await handle.close();
    }
    return createReadStream(file, { start: 4 + length.readUInt32BE(0), highWaterMark: 256 * 1024 });
  }
}
