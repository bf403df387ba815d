import { EmbeddedPostgres, type Logger, runningEmbeddedPostgres } from "@huishi/platform";
import { HuishiError } from "@huishi/kernel";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isStateInUse, openStateFolder } from "../state-folder.ts";

/** The database of a Huishi, for the time of a backup or a restore. */
export interface OpenDatabase {
  /** A secret. */
  readonly databaseUrl: string;
  /** A Huishi runs with the state folder. */
  readonly isRunning: boolean;
  close(): Promise<void>;
}

export interface Place {
  readonly stateDir: string;
  /** null: the embedded one of the state folder. */
  readonly databaseUrl: string | null;
}

/**
 * Finds the database to back up: DATABASE_URL, else the embedded one, running or, where nobody uses the folder, started
 * for the time of the backup.
 *
 * @throws HuishiError BACKUP_NOTHING_THERE, STATE_IN_USE, and those of EmbeddedPostgres.start
 */
export async function openToRead(place: Place, logger: Logger): Promise<OpenDatabase> {
  const isRunning = await isStateInUse(place.stateDir);
  if (place.databaseUrl !== null) {
    return { databaseUrl: place.databaseUrl, isRunning, close: async () => {} };
  }
  const dataDir = join(place.stateDir, "postgres");
  if (!(await isFolder(join(dataDir, "cluster")))) {
    throw new HuishiError(
      "BACKUP_NOTHING_THERE",
      `${place.stateDir} holds no database of Huishi: give its folder with --state, or DATABASE_URL`,
    );
  }
  if (!isRunning) return openAlone(place, logger);
  const running = runningEmbeddedPostgres(dataDir);
  if (running === null) {
    throw new HuishiError(
      "DATABASE_UNREACHABLE",
      `Huishi runs with ${place.stateDir}, but its embedded database does not (yet): wait a moment, or give the DATABASE_URL that it was started with`,
    );
  }
  return { databaseUrl: running, isRunning, close: async () => {} };
}

/**
 * The database with nobody else in the state folder: takes its lock, and starts the embedded database.
 *
 * @throws HuishiError STATE_IN_USE, STATE_UNWRITABLE, DISK_FULL, and those of EmbeddedPostgres.start
 */
export async function openAlone(place: Place, logger: Logger): Promise<OpenDatabase> {
  const state = await openStateFolder(place.stateDir);
  if (place.databaseUrl !== null) {
    return { databaseUrl: place.databaseUrl, isRunning: false, close: () => state.release() };
  }
  try {
    const postgres = await EmbeddedPostgres.start({ dataDir: join(place.stateDir, "postgres"), logger });
    return {
      databaseUrl: postgres.databaseUrl,
      isRunning: false,
      close: async () => {
        await postgres.stop();
        await state.release();
      },
    };
  } catch (error) {
    await state.release();
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
