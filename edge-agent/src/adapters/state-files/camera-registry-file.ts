import { isId } from "@huishi/kernel";
import { join } from "node:path";
import type { Log } from "../../application/ports.ts";
import { CameraRegistry, type CameraTraits } from "../../domain/camera-id.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

/** Which camera has which id, in `cameras.json` of the state folder. */
export class CameraRegistryFile {
  readonly #file: string;
  readonly #registry: CameraRegistry;
  readonly #log: Log;
  #isDirty = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, registry: CameraRegistry, log: Log) {
    this.#log = log;
    this.#file = file;
    this.#registry = registry;
  }

  static async open(stateDir: string, log: Log): Promise<CameraRegistryFile> {
    const file = join(stateDir, "cameras.json");
    const content = await readJsonFile(file);
    const entries = Object.entries(content !== null && typeof content === "object" ? content : {});
    const known = entries.filter((entry): entry is [string, string] => isId(String(entry[1])));
    return new CameraRegistryFile(file, new CameraRegistry(Object.fromEntries(known)), log);
  }

  /** The camera's lasting id; stored before it is used, unless the disk refuses: then with the next change. */
  async assign(traits: CameraTraits, configuredId?: string): Promise<{ id: string; isNew: boolean }> {
    const isNew = this.#registry.find(traits) === null;
    const { id, changed } = this.#registry.assign(traits, configuredId);
    if (changed || this.#isDirty) {
      this.#isDirty = true;
      this.#writing = this.#writing.then(() => this.#write());
    }
    await this.#writing;
    return { id, isNew };
  }

  async #write(): Promise<void> {
    try {
      await writeJsonFile(this.#file, this.#registry.toJSON());
      this.#isDirty = false;
    } catch (err) {
      this.#log.warn({ err, file: this.#file }, "camera ids could not be stored");
    }
  }
}
