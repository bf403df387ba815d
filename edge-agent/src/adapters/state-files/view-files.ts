import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { StoredView, ViewStore } from "../../application/picture-ports.ts";
import { VIEW_SLOTS } from "../../domain/kept-views.ts";

const NAME = /^([a-z0-9-]{1,64})\.([0-7])\.view$/;
const MAX_BYTES = 256 * 1024;
/** Checksum of what follows (4), time (8, milliseconds), then the view. */
const HEAD_BYTES = 12;

/** Views of cameras as `views/<camera>.<slot>.view` (mode 0600) of the state folder; a damaged file is none. */
export class ViewFiles implements ViewStore {
  readonly #folder: string;

  constructor(stateDir: string) {
    this.#folder = join(stateDir, "views");
  }

  async load(cameraId: string): Promise<StoredView[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const own = names.filter((name) => NAME.exec(name)?.[1] === cameraId);
    const views = await Promise.all(own.map((name) => this.#read(name)));
    return views.filter((view) => view !== null);
  }

  async save(cameraId: string, { slot, savedAtMs, bytes }: StoredView): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const content = Buffer.alloc(HEAD_BYTES + bytes.byteLength);
    content.writeDoubleBE(savedAtMs, 4);
    content.set(bytes, HEAD_BYTES);
    content.writeUInt32BE(crc32(content.subarray(4)), 0);
    const file = this.#file(cameraId, slot);
    const handle = await open(`${file}.part`, "w", 0o600);
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
    await rename(`${file}.part`, file);
  }

  async forget(cameraId: string): Promise<void> {
    for (let slot = 0; slot < VIEW_SLOTS; slot++) await rm(this.#file(cameraId, slot), { force: true });
  }

  async #read(name: string): Promise<StoredView | null> {
    const content = await readFile(join(this.#folder, name)).catch(() => null);
    if (!content || content.length <= HEAD_BYTES || content.length > MAX_BYTES) return null;
    if (content.readUInt32BE(0) !== crc32(content.subarray(4))) return null;
    const slot = Number(NAME.exec(name)?.[2]);
    return { slot, savedAtMs: content.readDoubleBE(4), bytes: content.subarray(HEAD_BYTES) };
  }

  #file(cameraId: string, slot: number): string {
    const name = `${cameraId}.${slot}.view`;
    if (!NAME.test(name)) throw new TypeError("this is no id of a camera");
    return join(this.#folder, name);
  }
}
