import { execFile } from "node:child_process";
import { mkdtemp, open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A small ext4 file system in a file, mounted by a loop device. Needs root. */
export class SmallDisk {
  readonly folder: string;
  readonly #scratch: string;

  private constructor(scratch: string) {
    this.#scratch = scratch;
    this.folder = path.join(scratch, "disk");
  }

  /** Null, with the reason on the terminal, where the machine does not let us mount one. */
  static async mount(megabytes: number): Promise<SmallDisk | null> {
    const disk = new SmallDisk(await mkdtemp(path.join(tmpdir(), "huishi-disk-")));
    const image = path.join(disk.#scratch, "image");
    try {
      const file = await open(image, "w");
      await file.truncate(megabytes * 2 ** 20);
      await file.close();
      await run("mkfs.ext4", ["-q", "-m", "0", image]);
      await run("mkdir", [disk.folder]);
      await run("mount", ["-o", "loop", image, disk.folder]);
      return disk;
    } catch (thrown) {
      process.stdout.write(
        `skipped: no loop-mounted disk here (${(thrown as Error).message.split("\n")[0]})\n`,
      );
      await rm(disk.#scratch, { recursive: true, force: true });
      return null;
    }
  }

  /** Takes what is free but `leaveBytes`; returns how to give it back. */
  async fill(leaveBytes: number): Promise<() => Promise<void>> {
    const ballast = path.join(this.folder, "ballast");
    // Others write meanwhile: a little less, until it fits.
    for (let spareBytes = leaveBytes; ; spareBytes += 1024 * 1024) {
      const { bavail, bsize } = await statfs(this.folder);
      const size = Math.max(bsize, bavail * bsize - spareBytes);
      const isTaken = await run("fallocate", ["-l", String(size), ballast]).then(
        () => true,
        () => false,
      );
      if (isTaken) return () => rm(ballast);
      if (spareBytes > 64 * 1024 * 1024) throw new Error("the small disk could not be filled");
    }
  }

  async unmount(): Promise<void> {
    await run("umount", ["--lazy", this.folder]).catch(() => {});
    await rm(this.#scratch, { recursive: true, force: true });
  }
}
