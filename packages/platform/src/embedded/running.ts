import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { layoutOf, urlOf } from "./layout.ts";
import { processesIn } from "./leftovers.ts";

/**
 * The address of the embedded PostgreSQL that runs in this folder, started by whichever process; null when none runs.
 * A secret. The port is that of the server itself: line 4 of its postmaster.pid.
 */
export function runningEmbeddedPostgres(dataDir: string): string | null {
  if (!existsSync(dataDir)) return null;
  const layout = layoutOf(realpathSync(dataDir));
  try {
    const lines = readFileSync(path.join(layout.cluster, "postmaster.pid"), "utf8").split("\n");
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    if (!processesIn(layout.cluster).includes(pid) || !Number.isInteger(port) || port === 0) return null;
    return urlOf(port, readFileSync(layout.password, "utf8").trim());
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw thrown;
  }
}
