import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { HuishiError, sleep } from "@huishi/kernel";
import type { Logger } from "../logger.ts";

/**
 * A launcher that was killed leaves its PostgreSQL running, or a stale postmaster.pid. All server processes of a
 * cluster have its folder as their working directory, which tells them from anything else with the same id.
 */
export function processesIn(clusterDir: string): number[] {
  const pids: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readlinkSync(`/proc/${name}/cwd`) === clusterDir && isServer(name)) pids.push(Number(name));
    } catch {
      // gone meanwhile, or somebody else's
    }
  }
  return pids;
}

function isServer(pid: string): boolean {
  return /postgres/.test(readFileSync(`/proc/${pid}/comm`, "utf8"));
}

function postmasterOf(clusterDir: string): number | null {
  try {
    const pid = Number(readFileSync(path.join(clusterDir, "postmaster.pid"), "utf8").split("\n")[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** Start time of a process in clock ticks since boot (proc(5), stat field 22): with the pid it names one process. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

const ownerFile = (dataDir: string): string => path.join(dataDir, "owner");

/** Claims the folder for this process. Throws DATABASE_IN_USE when a living process has it. */
export function claimFolder(dataDir: string): void {
  const file = ownerFile(dataDir);
  if (existsSync(file)) {
    const [pid, ticks] = readFileSync(file, "utf8").trim().split(" ");
    const isAlive = ticks !== undefined && startTicksOf(Number(pid)) === ticks;
    if (isAlive) {
      throw new HuishiError(
        "DATABASE_IN_USE",
        `the database in ${dataDir} is in use by process ${pid}: stop it first, or choose another folder`,
        { details: { pid: Number(pid) } },
      );
    }
  }
  writeFileSync(file, `${process.pid} ${startTicksOf(process.pid) ?? ""}\n`, { mode: 0o600 });
}

export function releaseFolder(dataDir: string): void {
  rmSync(ownerFile(dataDir), { force: true });
}

/** Stops what an earlier launcher left running in this cluster, and removes a stale lock file. */
export async function clearLeftovers(clusterDir: string, logger: Logger): Promise<void> {
  const left = processesIn(clusterDir);
  if (left.length > 0) {
    logger.warn({ processes: left.length }, "stopping a PostgreSQL that an earlier run left behind");
    const postmaster = postmasterOf(clusterDir);
    // Fast shutdown first, then immediate (PostgreSQL documentation §18.5), then without asking.
    if (postmaster !== null && left.includes(postmaster)) {
      for (const [signal, waitMs] of [
        ["SIGINT", 10_000],
        ["SIGQUIT", 5_000],
      ] as const) {
        kill(postmaster, signal);
        if (await allGone(clusterDir, waitMs)) break;
      }
    }
    // Server processes without a postmaster end by themselves within moments.
    if (!(await allGone(clusterDir, 3_000))) {
      for (const pid of processesIn(clusterDir)) kill(pid, "SIGKILL");
      await allGone(clusterDir, 5_000);
    }
  }
  if (processesIn(clusterDir).length === 0) rmSync(path.join(clusterDir, "postmaster.pid"), { force: true });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone meanwhile
  }
}

async function allGone(clusterDir: string, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += 50) {
    if (processesIn(clusterDir).length === 0) return true;
    if (waitedMs >= withinMs) return false;
    await sleep(50);
  }
}
