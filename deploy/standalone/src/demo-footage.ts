// The demo's footage: vtest.avi, pedestrians on a crossing (PETS 2009), as Debian's opencv-doc package ships it.
import { execFile } from "node:child_process";
import { access, copyFile, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PACKAGE = "opencv-doc";
const PATH_IN_PACKAGE = "usr/share/doc/opencv-doc/examples/data/vtest.avi";

export type DemoFootage =
  | { readonly kind: "file"; readonly file: string }
  /** Real footage could not be had; `reason` says why. */
  | { readonly kind: "generated"; readonly reason: string };

/** Finds the footage in `folder`, on this machine, or in Debian's package; falls back to a generated scene. */
export async function findDemoFootage(
  folder: string,
  announce: (line: string) => void,
): Promise<DemoFootage> {
  const file = join(folder, "vtest.avi");
  if (await exists(file)) return { kind: "file", file };
  const installed = `/${PATH_IN_PACKAGE}`;
  if (await exists(installed)) {
    await copyWhole(installed, file);
    return { kind: "file", file };
  }
  announce(`  Demo footage: fetching Debian's package ${PACKAGE} (96 MB, once)`);
  const scratch = await mkdtemp(join(tmpdir(), "huishi-demo-"));
  try {
    await run("apt-get", ["download", PACKAGE], { cwd: scratch, timeout: 180_000 });
    await run(
      "sh",
      ["-c", 'dpkg-deb --fsys-tarfile "$1"*.deb | tar -x -f - "./$2"', "sh", PACKAGE, PATH_IN_PACKAGE],
      { cwd: scratch, timeout: 60_000 },
    );
    await copyWhole(join(scratch, PATH_IN_PACKAGE), file);
    return { kind: "file", file };
  } catch (error) {
    return { kind: "generated", reason: `Debian's package ${PACKAGE} could not be had: ${firstLine(error)}` };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, `${to}.part`);
  await rename(`${to}.part`, to);
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split("\n").at(-1) ?? message;
}
