import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { LineQuality } from "@huishi/testkit";

export interface KernelLine {
  /** Leads to the port over the bad line. */
  readonly address: string;
  stop(): Promise<void>;
}

/** A bad line under the kernel's own TCP (kernel-line.py says what it needs), to a port of 127.0.0.1. */
export async function startKernelLine(
  { lossRate = 0, bitsPerSecond = 1e9, delayMs = 0 }: LineQuality,
  seed: number,
  port: number,
): Promise<KernelLine> {
  const script = path.join(import.meta.dirname, "kernel-line.py");
  const words = [lossRate, bitsPerSecond, delayMs, seed, port].map(String);
  const child = spawn("python3", [script, ...words], { stdio: ["pipe", "pipe", "inherit"] });
  const [first] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
  if (!Buffer.isBuffer(first))
    throw new Error("the kernel's line did not start: it needs root, ip and python3");
  return {
    address: first.toString("utf8").trim(),
    async stop() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}
