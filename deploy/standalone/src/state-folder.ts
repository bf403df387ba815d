// The one folder that holds everything: database, agent, footage, logs. One Huishi at a time may use it.
import { HuishiError } from "@huishi/kernel";
import { mkdir, open, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MINIMUM_FREE_BYTES = 300 * 1024 * 1024;
export const LOCK_FILE = "huishi.pid";

export interface StateFolder {
  readonly path: string;
  /** A folder below, made when missing. */
  folder(name: string): Promise<string>;
  release(): Promise<void>;
}

/**
 * Opens the state folder: makes it, checks that it can be written and that the disk has room, and takes the
 * lock. A lock of a process that is gone (kill -9, power loss) is taken over.
 *
 * @throws HuishiError STATE_UNWRITABLE, DISK_FULL, STATE_IN_USE
 */
export async function openStateFolder(path: string): Promise<StateFolder> {
  await makeWritable(path);
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize < MINIMUM_FREE_BYTES) {
    throw new HuishiError(
      "DISK_FULL",
      `The disk of ${path} has ${Math.round((bavail * bsize) / 1e6)} MB free; Huishi needs at least ${Math.round(MINIMUM_FREE_BYTES / 1e6)} MB. Free some room or use --state with a folder on another disk.`,
    );
  }
  const lockFile = join(path, LOCK_FILE);
  await takeLock(lockFile, path);
  return {
    path,
    folder: async (name) => {
      const folder = join(path, name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return folder;
    },
    release: () => rm(lockFile, { force: true }),
  };
}

async function makeWritable(path: string): Promise<void> {
  const probe = join(path, ".write-probe");
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await writeFile(probe, "");
    await rm(probe);
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === "ENOSPC";
    throw full
      ? new HuishiError(
          "DISK_FULL",
          `The disk of ${path} is full. Free some room or use --state with a folder on another disk.`,
          { cause },
        )
      : new HuishiError(
          "STATE_UNWRITABLE",
          `${path} cannot be written (${(cause as Error).message}). Use --state with a folder of your own.`,
          { cause },
        );
  }
}

/** True while a Huishi runs with this folder. */
export async function isStateInUse(path: string): Promise<boolean> {
  return isHuishi(await holderOf(join(path, LOCK_FILE)));
}

async function holderOf(lockFile: string): Promise<number> {
  return Number((await readFile(lockFile, "utf8").catch(() => "")).trim());
}

async function takeLock(lockFile: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(lockFile, "wx", 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = await holderOf(lockFile);
      if (await isHuishi(holder)) {
        throw new HuishiError(
          "STATE_IN_USE",
          `Huishi already runs with ${path} (process ${holder}). Stop it first, or use --state with another folder.`,
        );
      }
      await rm(lockFile, { force: true });
    }
  }
}

/** Process ids are reused: the holder must be alive and be a Node process. */
async function isHuishi(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "node");
  return commandLine.includes("node");
}
