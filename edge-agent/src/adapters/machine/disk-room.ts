import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { DiskRoom } from "../../application/agent-state.ts";

/** Room on the disk of a folder; of a folder that is not there yet, where it would be. Throws what the system says. */
export async function diskRoom(use: DiskRoom["use"], folder: string, atMs: number): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(folder).catch(() => statfs(dirname(folder)));
  return { use, freeBytes: bavail * bsize, totalBytes: blocks * bsize, atMs };
}
