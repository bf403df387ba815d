// What of a state folder belongs into a backup.
import { type FileToKeep, type RestoredFiles } from "@huishi/platform";
import { HuishiError } from "@huishi/kernel";
import type { Dirent } from "node:fs";
import { chmod, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { LOCK_FILE } from "../state-folder.ts";

export interface StateFiles {
  readonly files: readonly FileToKeep[];
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
}

/** The demo's marker is kept: without it the demo's rule would be given a second time. */
const KEPT_INSIDE: ReadonlySet<string> = new Set(["demo/rule-given"]);
const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ["postgres", "the database itself is in the archive as rows"],
  ["logs", "logs are about the old machine"],
  ["edge-agent/logs", "logs are about the old machine"],
  ["footage", "a cache, made anew"],
  ["demo", "demo footage, made anew"],
  [LOCK_FILE, "the lock of a running Huishi"],
  [".write-probe", "a probe"],
]);
const OUTBOX = "edge-agent/outbox";
const STAGING = ".restore";

/**
 * Lists the files to keep, in order of their paths. The agent's outbox is kept only where no agent runs: a running one
 * changes it at any moment, and delivers it itself.
 *
 * @param archive the file that is being written, which may lie in the folder
 */
export async function listStateFiles(
  stateDir: string,
  { isRunning, archive }: { readonly isRunning: boolean; readonly archive: string },
): Promise<StateFiles> {
  const files: FileToKeep[] = [];
  const leftOut: { path: string; reason: string }[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await entriesOf(folder)) {
      const source = join(folder, entry.name);
      const path = relative(stateDir, source);
      const reason = reasonToLeaveOut(path, entry, isRunning);
      if (source === archive || source === `${archive}.partial` || path === STAGING) continue;
      if (reason !== null) {
        leftOut.push({ path, reason });
        if (entry.isDirectory()) files.push(...(await keptInside(stateDir, path)));
      } else if (entry.isDirectory()) await visit(source);
      else files.push({ path, source });
    }
  };
  await visit(stateDir);
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), leftOut };
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new HuishiError("BACKUP_FILE_UNREADABLE", `${folder} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function reasonToLeaveOut(path: string, entry: Dirent, isRunning: boolean): string | null {
  const known = LEFT_OUT.get(path);
  if (known !== undefined) return known;
  if (path === OUTBOX && isRunning) return "belongs to the running agent, which delivers it";
  if (/\.(part|partial|tmp)$/.test(path)) return "an unfinished file";
  return entry.isFile() || entry.isDirectory() ? null : "not a plain file";
}

async function keptInside(stateDir: string, folder: string): Promise<FileToKeep[]> {
  const kept: FileToKeep[] = [];
  for (const path of KEPT_INSIDE) {
    if (!path.startsWith(`${folder}/`)) continue;
    const source = join(stateDir, path);
    const isThere = await stat(source).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isThere) kept.push({ path, source });
  }
  return kept;
}

/**
 * Takes an archive's files into `.restore` in the state folder (mode 0600) and renames them into their places when the
 * database is in. `replace`: files that are there are replaced; else RESTORE_TARGET_NOT_EMPTY, before anything changes.
 */
export function stateFilesTo(stateDir: string, replace: boolean): RestoredFiles {
  const staging = join(stateDir, STAGING);
  const paths: string[] = [];
  return {
    async stage(path, content) {
      if (paths.length === 0) await rm(staging, { recursive: true, force: true });
      await refuseExisting(join(stateDir, path), replace);
      const target = join(staging, path);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      const file = await open(target, "wx", 0o600);
      try {
        for await (const chunk of content) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      paths.push(path);
    },
    async publish() {
      for (const path of paths) {
        const target = join(stateDir, path);
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await chmod(join(staging, path), 0o600);
        if (replace) await rename(join(staging, path), target);
        // A link, unlike a renaming, never replaces what somebody put there meanwhile.
        else await link(join(staging, path), target);
      }
      await rm(staging, { recursive: true, force: true });
    },
    discard: () => rm(staging, { recursive: true, force: true }),
  };
}

async function refuseExisting(file: string, replace: boolean): Promise<void> {
  if (replace) return;
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw new HuishiError(
      "RESTORE_TARGET_NOT_EMPTY",
      `${file} exists already: restore with --state into a new folder, or replace what is there with --replace`,
    );
  }
}
