import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { UploadContents } from "../../application/agent-uploads.ts";

const ID = /^[a-z0-9-]{1,64}$/;

/** The complete uploads that ingest wrote: `<id>.upload`. */
export class UploadFolder implements UploadContents {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(id: string): Promise<AsyncIterable<Uint8Array> | null> {
    if (!ID.test(id)) return null;
    const file = join(this.#folder, `${id}.upload`);
    if (!(await stat(file).catch(() => null))) return null;
    return createReadStream(file, { highWaterMark: 256 * 1024 });
  }
}
