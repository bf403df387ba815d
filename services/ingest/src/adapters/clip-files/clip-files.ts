import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { KeptFiles } from "../../application/agent-uploads.ts";
import type { RoomFile } from "../../application/clip-room.ts";

const ID = /^[a-z0-9-]{1,64}$/;

/** Uploads as files of one folder: `<id>.part` while they come, `<id>.clip` or `<id>.upload` when they are complete. */
export class UploadFolder implements KeptFiles {
  readonly #folder: string;
  readonly #kept: "clip" | "upload";

  constructor(folder: string, kept: "clip" | "upload") {
    this.#folder = folder;
    this.#kept = kept;
  }

  async size(id: string): Promise<number> {
    return (await this.#stat(id))?.size ?? 0;
  }

  async append(id: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const handle = await open(this.#file(id, "part"), "a", 0o600);
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

  async *read(id: string, from: number, to?: number): AsyncGenerator<Uint8Array> {
    if (to !== undefined && to <= from) return;
    const file = (await this.#stat(id))?.file ?? this.#file(id, "part");
    const end = to === undefined ? {} : { end: to - 1 };
    for await (const chunk of createReadStream(file, { start: from, ...end, highWaterMark: 256 * 1024 }))
      yield chunk as Buffer;
  }

  async keep(id: string): Promise<void> {
    await rename(this.#file(id, "part"), this.#file(id, this.#kept));
    const folder = await open(this.#folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async discard(id: string): Promise<void> {
    await rm(this.#file(id, "part"), { force: true });
  }

  async remove(id: string): Promise<void> {
    await this.discard(id);
    await rm(this.#file(id, this.#kept), { force: true });
  }

  /** Complete ones of this folder's kind, and every part. */
  async list(): Promise<RoomFile[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const files: RoomFile[] = [];
    for (const name of names) {
      const [id = "", kind] = name.split(".");
      if (!ID.test(id) || (kind !== "part" && kind !== "clip")) continue;
      const found = await stat(join(this.#folder, name)).catch(() => null);
      if (found) files.push({ id, kind, bytes: found.size, changedMs: found.mtimeMs });
    }
    return files;
  }

  async #stat(id: string): Promise<{ file: string; size: number } | null> {
    for (const kind of ["part", this.#kept] as const) {
      const file = this.#file(id, kind);
      const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      if (found) return { file, size: found.size };
    }
    return null;
  }

  /** Ids are checked where they come from; here once more, because they become a path. */
  #file(id: string, kind: "part" | "clip" | "upload"): string {
    if (!ID.test(id)) throw new TypeError("this is no id of an upload");
    return join(this.#folder, `${id}.${kind}`);
  }
}
