import { readdirSync, readFileSync } from "node:fs";

export interface TreeMemory {
  /** Sum of resident sets, MB: pages shared between processes count once for each. */
  readonly rssMb: number;
  /** Sum of proportional sets, MB: every page counts once. */
  readonly pssMb: number;
  readonly processes: readonly {
    readonly pid: number;
    readonly name: string;
    readonly rssMb: number;
    readonly pssMb: number;
  }[];
}

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Memory of a process and all that descend from it (Linux: /proc/PID/smaps_rollup). */
export function memoryOfTree(rootPid: number): TreeMemory {
  const processes = descendants(rootPid).flatMap((pid) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      const mb = (field: string): number =>
        Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0) / 1024;
      const name = readFileSync(`/proc/${pid}/cmdline`, "utf8")
        .split("\0")
        .slice(0, 2)
        .map((part) => part.split("/").at(-1))
        .join(" ");
      return [{ pid, name, rssMb: mb("Rss"), pssMb: mb("Pss") }];
    } catch {
      return [];
    }
  });
  const sum = (field: "rssMb" | "pssMb"): number => processes.reduce((total, each) => total + each[field], 0);
  return { rssMb: sum("rssMb"), pssMb: sum("pssMb"), processes };
}

/** Seconds of processor time that a process and all that descend from it and still live have used (proc(5), stat). */
export function cpuSecondsOfTree(rootPid: number): number {
  const ticks = descendants(rootPid).reduce((sum, pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return sum + Number(fields[11]) + Number(fields[12]);
    } catch {
      return sum;
    }
  }, 0);
  return ticks / TICKS_PER_SECOND;
}

function descendants(rootPid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // ended while we looked
    }
  }
  const found: number[] = [];
  for (let queue = [rootPid]; queue.length > 0;) {
    const pid = queue.shift() as number;
    found.push(pid);
    queue = [...queue, ...(children.get(pid) ?? [])];
  }
  return found;
}
