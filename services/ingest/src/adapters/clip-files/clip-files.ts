import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ClipFiles } from "../../application/clip-intake.ts";

const ID = /^[a-z0-9-]{1,64}$/;

/** Clips as files of one folder: `<id>.part` while they come, `<id>.clip` when they are complete. */
export class ClipFolder implements ClipFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async size(clipId: string): Promise<number> {
    return (await this.#stat(clipId))?.size ?? 0;
  }

  async append(clipId: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const handle = await open(this.#file(clipId, "part"), "a", 0o600);
    const { size } = await handle.stat();
    try {
      await handle.appendFile(bytes);
      await handle.datasync();
    } catch (error) {
      await handle.truncate(size).catch(() => undefined);
      throw error;
    } finally {
      await handle.close();
    }
  }

  async *read(clipId: string, from: number, to?: number): AsyncGenerator<Uint8Array> {
    if (to !== undefined && to <= from) return;
    const file = (await this.#stat(clipId))?.file ?? this.#file(clipId, "part");
    const end = to === undefined ? {} : { end: to - 1 };
    for await (const chunk of createReadStream(file, { start: from, ...end, highWaterMark: 256 * 1024 }))
      yield chunk as Buffer;
  }

  async keep(clipId: string): Promise<void> {
    await rename(this.#file(clipId, "part"), this.#file(clipId, "clip"));
    const folder = await open(this.#folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async discard(clipId: string): Promise<void> {
    await rm(this.#file(clipId, "part"), { force: true });
  }

  async #stat(clipId: string): Promise<{ file: string; size: number } | null> {
    for (const kind of ["part", "clip"] as const) {
      const file = this.#file(clipId, kind);
      const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      if (found) return { file, size: found.size };
    }
    return null;
  }

  /** Ids are checked where they come from; here once more, because they become a path. */
  #file(clipId: string, kind: "part" | "clip"): string {
    if (!ID.test(clipId)) throw new TypeError("this is no id of a clip");
    return join(this.#folder, `${clipId}.${kind}`);
  }
}
