/** Runs ffmpeg and ffprobe: always an argv array, never a shell, stderr bounded. */
import { type ChildProcess, spawn } from "node:child_process";
import { SimulatorError } from "../errors.ts";

const STDERR_KEPT = 4096;

/** The last line that ffmpeg wrote, without its `[component @ 0x...]` prefix: what a person wants to read. */
export function lastLine(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return (lines.at(-1) ?? "no message").replace(/^\[[^\]]*\]\s*/, "").slice(0, 300);
}

/** `"-f flv -an"` as arguments: for fixed ones only, never for a path or anything from outside. */
export function words(text: string): string[] {
  return text.split(" ");
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Bytes for stdin, written with back-pressure. */
  readonly stdin?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly maxStdoutBytes?: number;
  readonly timeoutMs?: number;
}

/** A start failure as a person should read it. */
export function spawnError(program: string, cause: NodeJS.ErrnoException): SimulatorError {
  return cause.code === "ENOENT"
    ? new SimulatorError(
        "FFMPEG_MISSING",
        `${program} is not installed; install it, on Debian: apt install ffmpeg`,
        { cause },
      )
    : new SimulatorError("ENCODER_FAILED", `${program} did not start: ${cause.message}`, { cause });
}

/** Waits for a child's end; collects bounded output. The signal or the timeout kills it. */
export async function runToEnd(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  options.signal?.throwIfAborted();
  const child = spawn(program, args, { stdio: [options.stdin ? "pipe" : "ignore", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = "";
  const kill = (): void => void child.kill("SIGKILL");
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(kill, options.timeoutMs);
  options.signal?.addEventListener("abort", kill, { once: true });
  child.stdout?.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > (options.maxStdoutBytes ?? 16 * 1024 * 1024)) kill();
    else stdout.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (error) => reject(spawnError(program, error)));
      child.once("close", resolve);
      if (options.stdin) void writeAll(child, options.stdin).catch(reject);
    });
    options.signal?.throwIfAborted();
    return { code, stdout: Buffer.concat(stdout), stderr };
  } finally {
    kill();
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", kill);
  }
}

async function writeAll(
  child: ChildProcess,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const stdin = child.stdin;
  if (!stdin) return;
  stdin.on("error", () => undefined); // the exit status tells why
  for await (const chunk of chunks) {
    if (child.exitCode !== null || stdin.destroyed) return;
    if (!stdin.write(chunk)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          stdin.off("drain", go).off("close", go);
          resolve();
        };
        stdin.once("drain", go).once("close", go);
      });
    }
  }
  stdin.end();
}
