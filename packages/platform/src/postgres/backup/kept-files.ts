import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { HuishiError, messageOf } from "@huishi/kernel";
import type { ArchiveWriter } from "./archive-writer.ts";
import { type BackupManifest, FILES_FOLDER } from "./manifest.ts";

/** A file of the configuration. */
export interface FileToKeep {
  /** Its place below the state folder, with `/`. */
  readonly path: string;
  /** Where it lies now. */
  readonly source: string;
}

/** Adds the files as `config/<path>`. A file that changes while it is read is BACKUP_FILE_CHANGED. */
export async function addFiles(
  archive: ArchiveWriter,
  files: readonly FileToKeep[],
  signal: AbortSignal | undefined,
): Promise<BackupManifest["files"]> {
  const kept: BackupManifest["files"] = [];
  for (const file of files) {
    signal?.throwIfAborted();
    requireRelative(file.path, "BACKUP_FILE_UNUSABLE");
    const bytes = await sizeOf(file.source);
    const hash = createHash("sha256");
    await archive.add(`${FILES_FOLDER}${file.path}`, bytes, hashed(file.source, hash));
    kept.push({ path: file.path, bytes, sha256: hash.digest("hex") });
  }
  return kept;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function* hashed(file: string, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

const unreadable = (file: string, cause: unknown): HuishiError =>
  new HuishiError("BACKUP_FILE_UNREADABLE", `${file} cannot be read: ${messageOf(cause)}`, { cause });

/** An archive may come from a stranger: no path of it may lead out of the folder that it is unpacked in. */
export function requireRelative(path: string, code: "BACKUP_DAMAGED" | "BACKUP_FILE_UNUSABLE"): void {
  const isPlain = path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (isPlain && !/[\\\u0000-\u001f]/.test(path)) return;
  throw new HuishiError(code, `'${path}' is no plain path below the state folder`);
}
