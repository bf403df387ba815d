/** Real programs and files for the integration tests. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, or kills it after `timeoutMs` (then code is null). */
export function runProgram(program: string, args: readonly string[], timeoutMs = 20_000): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout: Buffer.concat(stdout), stderr });
    });
  });
}

export async function makeTemporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "huishi-simulator-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A short clip of moving bars. */
export async function makeClip(
  path: string,
  seconds = 2,
  fps: number | string = 25,
  size = "320x240",
): Promise<string> {
  const command = `-hide_banner -loglevel error -f lavfi -i testsrc=size=${size}:rate=${fps}:duration=${seconds} -c:v libx264 -preset ultrafast -y`;
  const outcome = await runProgram("ffmpeg", [...command.split(" "), path]);
  if (outcome.code !== 0) throw new Error(outcome.stderr);
  return path;
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** `rtsp://host/main` with an account, percent-encoded. */
export function withAccount(url: string, username: string, password: string): string {
  return url.replace("://", `://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`);
}

/** Presentation times in seconds of the packets that ffmpeg's RTSP client receives. */
export async function receivePackets(
  url: string,
  transport: "tcp" | "udp",
  seconds: number,
): Promise<{ times: number[]; keyframes: number }> {
  const options = `-v error -rtsp_transport ${transport} -read_intervals %+${seconds} -show_entries packet=pts_time,flags -of csv=p=0`;
  const outcome = await runProgram("ffprobe", [...options.split(" "), url], (seconds + 15) * 1000);
  const lines = outcome.stdout.toString().trim().split("\n");
  const times = lines.map((line) => Number.parseFloat(line)).filter((time) => !Number.isNaN(time));
  return { times, keyframes: lines.filter((line) => line.includes("K")).length };
}
