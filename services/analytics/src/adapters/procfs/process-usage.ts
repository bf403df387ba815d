/** What this process, its inference children and their decoders cost (Linux, proc(5)); elsewhere only this process. */
import { readFileSync } from "node:fs";
import type { Usage } from "../../application/status-reporter.ts";

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

interface Cost {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

export function processUsage(inferencePids: readonly number[]): Usage {
  const decoderPids = inferencePids.flatMap(childrenOf);
  const costs = [process.pid, ...inferencePids, ...decoderPids].map(costOf);
  if (costs[0] === null)
    return { residentBytes: process.memoryUsage.rss(), cpuSeconds: null, decoders: decoderPids.length };
  return {
    residentBytes: costs.reduce((sum, cost) => sum + (cost?.residentBytes ?? 0), 0),
    cpuSeconds: costs.reduce((sum, cost) => sum + (cost?.cpuSeconds ?? 0), 0),
    decoders: decoderPids.length,
  };
}

/** Node starts its children from its main thread. Needs a kernel with CONFIG_PROC_CHILDREN, as distributions have. */
function childrenOf(pid: number): number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? "").split(" ").filter(Boolean).map(Number);
}

/** Null when the process is gone or the system has no /proc. */
function costOf(pid: number): Cost | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name, in brackets, may hold anything: what follows its last bracket begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: Number(fields[21]) * PAGE_BYTES };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
