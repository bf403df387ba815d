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
  return Object.values(cpuSecondsByProgram(rootPid)).reduce((sum, seconds) => sum + seconds, 0);
}

/** The same by program: the root is `node`, forked Node processes go by their script's name. */
export function cpuSecondsByProgram(rootPid: number): Record<string, number> {
  const byName: Record<string, number> = {};
  for (const pid of descendants(rootPid)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const name = pid === rootPid ? "node" : programOf(pid);
      byName[name] = (byName[name] ?? 0) + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      // ended while we looked
    }
  }
  return byName;
}

function programOf(pid: number): string {
  const [command = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const script = args.find((arg) => /\.[jt]s$/.test(arg));
  const name = command.split("/").at(-1)?.split(":")[0] ?? "";
  return name === "node" && script !== undefined ? (script.split("/").at(-1) ?? name) : name;
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
