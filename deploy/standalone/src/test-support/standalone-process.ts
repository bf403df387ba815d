// Runs the built launcher as a person would: a process of its own, its terminal output read line by line.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface StandaloneProcess {
  readonly url: string;
  /** null when an administrator was there already. */
  readonly setupUrl: string | null;
  readonly stateDir: string;
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Ctrl-C, and the exit code. */
  stop(): Promise<number | null>;
}

/** A folder that is removed afterwards. */
export async function scratchFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "huishi-standalone-"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Starts the launcher and resolves when it has printed the wall's address; rejects with its output when it ends before. */
export async function startStandaloneProcess(options: {
  stateDir: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  port?: number;
  deadlineMs?: number;
}): Promise<StandaloneProcess> {
  if (!existsSync(MAIN)) throw new Error("the launcher is not built: run npm run build:ts");
  const port = options.port ?? (await freePort());
  const mqttPort = await freePort();
  const child = spawn(
    process.execPath,
    [
      MAIN,
      "--state",
      options.stateDir,
      "--port",
      String(port),
      "--mqtt-port",
      String(mqttPort),
      ...(options.args ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, DATABASE_URL: undefined, ...options.env } },
  );
  let printed = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the launcher did not get ready:\n${printed}`));
    }, options.deadlineMs ?? 120_000);
    const onText = (chunk: Buffer): void => {
      printed += chunk.toString("utf8");
      if (!printed.includes("Ctrl-C stops everything")) return;
      clearTimeout(deadline);
      resolve();
    };
    child.stdout.on("data", onText);
    child.stderr.on("data", onText);
    void ended.then((code) => {
      clearTimeout(deadline);
      reject(new Error(`the launcher ended with ${code}:\n${printed}`));
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    setupUrl: /https?:\S+#\/setup\?token=\S+/.exec(printed)?.[0] ?? null,
    stateDir: options.stateDir,
    child,
    output: () => printed,
    stop: async () => {
      child.kill("SIGINT");
      const kill = setTimeout(() => child.kill("SIGKILL"), 30_000);
      const code = await ended;
      clearTimeout(kill);
      return code;
    },
  };
}
