import { type DatabasePlace, openDatabase, replaceDamaged, replaceRemoved } from "./open-database.ts";
import type { OutboxDatabase } from "./outbox-database.ts";
import { freeBytes } from "./reserve-file.ts";
import { type StorageFault, storageFaultOf } from "./storage-fault.ts";

/** Holds the open database, and puts another in its place when it is damaged or its file was removed. */
export class DatabaseKeeper {
  readonly #place: DatabasePlace;
  readonly #folder: string;
  #current: OutboxDatabase;
  #replacing: Promise<void> | null = null;
  /** Called when another database is in place: some events may be missing in it. */
  onReplaced: () => void = () => undefined;

  private constructor(place: DatabasePlace, folder: string, database: OutboxDatabase) {
    this.#place = place;
    this.#folder = folder;
    this.#current = database;
  }

  static async open(place: DatabasePlace, folder: string): Promise<DatabaseKeeper> {
    return new DatabaseKeeper(place, folder, await openDatabase(place));
  }

  /** The database for work that does not wait in between; `settled()` comes before it. */
  get current(): OutboxDatabase {
    return this.#current;
  }

  /** Resolves when no replacement is under way. */
  async settled(): Promise<void> {
    while (this.#replacing) await this.#replacing.catch(() => undefined);
  }

  async faultOf(error: unknown): Promise<StorageFault> {
    return storageFaultOf(error, (await freeBytes(this.#folder)) > 64 * 1024);
  }

  /** Salvages a damaged file into a new one. @throws when the new one cannot be written */
  repair(error: unknown): Promise<void> {
    this.#place.log.error({ err: error }, "the outbox is damaged");
    return this.#replace(() => replaceDamaged(this.#place, this.#current));
  }

  /** Writes the file anew when somebody removed it. @throws when it cannot be written */
  async putBack(): Promise<void> {
    if (!this.#current.sqlite.isInPlace)
      await this.#replace(() => replaceRemoved(this.#place, this.#current));
  }

  async #replace(make: () => Promise<OutboxDatabase>): Promise<void> {
    this.#replacing ??= make()
      .then((database) => {
        this.#current = database;
        this.onReplaced();
      })
      .finally(() => (this.#replacing = null));
    await this.#replacing;
  }
}
