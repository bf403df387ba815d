import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { chmod, mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { HuishiError, messageOf, sleep } from "@huishi/kernel";
import { Client } from "pg";
import type { Logger } from "../logger.ts";
import { findPostgresBinaries, type PostgresBinaries } from "./binaries.ts";
import { DATABASE, type Layout, layoutOf, urlOf, USER } from "./layout.ts";
import { claimFolder, clearLeftovers, releaseFolder } from "./leftovers.ts";
import { chooseRunAs, type RunAs } from "./run-as.ts";
import { diagnose } from "./start-faults.ts";

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;
const MAX_LOG_BYTES = 16 * 1024 * 1024;

/** Modest settings for one machine that also decodes video; durability is never traded. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "64MB",
  max_connections: "60",
  // A backup locks every partition with its indexes: a year of them in several series.
  max_locks_per_transaction: "256",
  max_wal_size: "512MB",
  wal_level: "minimal",
  max_wal_senders: "0",
  io_method: "sync",
  jit: "off",
  fsync: "on",
  synchronous_commit: "on",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  log_min_messages: "warning",
  // A failed statement may carry what people typed: only its error goes to the log.
  log_min_error_statement: "panic",
};

export interface EmbeddedPostgresOptions {
  /** Everything of this database lives in here: the cluster, its password, its port, its log. */
  readonly dataDir: string;
  /** 0 (default): the port of the last start when it is free, else any free one. */
  readonly port?: number;
  readonly logger: Logger;
  /** More postgresql.conf settings, for tests and unusual machines. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A PostgreSQL of our own on loopback, from binaries that came through npm. `start` makes the cluster on first
 * use, recovers after kill -9 of anything, and refuses a folder that another running process uses.
 *
 * Errors: EMBEDDED_POSTGRES_MISSING, EMBEDDED_POSTGRES_INCOMPLETE, EMBEDDED_POSTGRES_ROOT, DATABASE_IN_USE,
 * DATABASE_PORT_TAKEN, DATABASE_DISK_FULL, DATABASE_FOLDER_UNUSABLE, DATABASE_START_FAILED.
 */
export class EmbeddedPostgres {
  /** `postgres://user:password@127.0.0.1:port/huishi`; a secret. */
  readonly databaseUrl: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, whoever ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #dataDir: string;
  readonly #child: ChildProcess;
  readonly #logTimer: NodeJS.Timeout;
  #isOver = false;

  private constructor(dataDir: string, child: ChildProcess, port: number, password: string, log: string) {
    this.#dataDir = dataDir;
    this.#child = child;
    this.port = port;
    this.pid = child.pid as number;
    this.databaseUrl = urlOf(port, password);
    this.exited = new Promise((resolve) => {
      const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#isOver = true;
        clearInterval(this.#logTimer);
        releaseFolder(dataDir);
        resolve({ code, signal });
      };
      if (child.exitCode !== null || child.signalCode !== null) settle(child.exitCode, child.signalCode);
      else child.once("exit", settle);
    });
    this.#logTimer = setInterval(() => trimLog(log), 600_000);
    this.#logTimer.unref();
  }

  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { logger } = options;
    const binaries = await findPostgresBinaries();
    const dataDir = await makeFolder(options.dataDir);
    const layout = layoutOf(dataDir);
    claimFolder(dataDir);
    try {
      const runAs = await chooseRunAs(binaries.postgres, dataDir);
      runAs.own(dataDir);
      const password = await makeCluster(binaries, runAs, layout, logger);
      await clearLeftovers(layout.cluster, logger);
      const port = await choosePort(layout, options.port ?? 0);
      const child = await launch(binaries, runAs, layout, {
        port,
        password,
        settings: options.settings ?? {},
      });
      await writeFile(layout.port, `${port}\n`);
      logger.info({ port, pid: child.pid, runAs: runAs.kind }, "embedded PostgreSQL runs");
      return new EmbeddedPostgres(dataDir, child, port, password, layout.log);
    } catch (thrown) {
      releaseFolder(dataDir);
      throw thrown;
    }
  }

  /** Fast shutdown: open transactions are rolled back, committed ones kept; immediate shutdown as the last resort. */
  async stop(): Promise<void> {
    for (const [signal, waitMs] of [
      ["SIGINT", 15_000],
      ["SIGQUIT", 5_000],
      ["SIGKILL", 5_000],
    ] as const) {
      if (this.#isOver) return;
      this.#child.kill(signal);
      const timeout = new AbortController();
      const waited = sleep(waitMs, timeout.signal).catch(() => {});
      await Promise.race([this.exited, waited]);
      timeout.abort();
    }
    releaseFolder(this.#dataDir);
  }
}

async function makeFolder(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const folder = await realpath(dataDir);
    await chmod(folder, 0o700);
    const probe = path.join(folder, ".writable");
    await writeFile(probe, "");
    await rm(probe);
    return folder;
  } catch (cause) {
    throw diagnose(messageOf(cause), dataDir, cause);
  }
}

/** Runs initdb beside the final place and renames: a cluster is either whole or absent. */
async function makeCluster(
  binaries: PostgresBinaries,
  runAs: RunAs,
  layout: Layout,
  logger: Logger,
): Promise<string> {
  if (existsSync(path.join(layout.cluster, "PG_VERSION")))
    return readFileSync(layout.password, "utf8").trim();
  const fresh = `${layout.cluster}.new`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    const password = randomBytes(24).toString("hex");
    await writeFile(layout.password, `${password}\n`, { mode: 0o600 });
    runAs.own(path.dirname(layout.cluster));
    const { file, args } = runAs.command(binaries.initdb, [
      `--pgdata=${fresh}`,
      `--username=${USER}`,
      `--pwfile=${layout.password}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
    ]);
    await run(file, args, { ...runAs.identity, env: serverEnvironment(), timeout: START_TIMEOUT_MS });
    renameSync(fresh, layout.cluster);
    logger.info("embedded PostgreSQL: a new cluster was made");
    return password;
  } catch (cause) {
    rmSync(fresh, { recursive: true, force: true });
    const stderr = (cause as { stderr?: string }).stderr ?? "";
    throw diagnose(`${messageOf(cause)}\n${stderr}`, path.dirname(layout.cluster), cause);
  }
}

/** Nothing of our environment, which may hold secrets, reaches the server. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { LC_ALL: "C", TZ: "UTC", PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
}

async function choosePort(layout: Layout, wanted: number): Promise<number> {
  if (wanted !== 0) {
    if (await isFree(wanted)) return wanted;
    throw new HuishiError(
      "DATABASE_PORT_TAKEN",
      `port ${wanted} of the embedded database is taken: stop what uses it, or choose another port`,
      { details: { port: wanted } },
    );
  }
  const last = existsSync(layout.port) ? Number(readFileSync(layout.port, "utf8")) : 0;
  if (Number.isInteger(last) && last > 1023 && last < 65_536 && (await isFree(last))) return last;
  return anyFreePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function launch(
  binaries: PostgresBinaries,
  runAs: RunAs,
  layout: Layout,
  how: { port: number; password: string; settings: Readonly<Record<string, string>> },
): Promise<ChildProcess> {
  trimLog(layout.log);
  const settings = { ...SETTINGS, ...how.settings, port: String(how.port) };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const { file, args } = runAs.command(binaries.postgres, ["-D", layout.cluster, ...options]);
  const log = openSync(layout.log, "a", 0o600);
  const logStart = statSync(layout.log).size;
  const child = spawn(file, args, {
    ...runAs.identity,
    env: serverEnvironment(),
    cwd: layout.cluster,
    stdio: ["ignore", log, log],
    // Its own session: Ctrl-C reaches the launcher alone, which stops the database last.
    detached: true,
  });
  closeSync(log);
  const spawnFault = new Promise<Error>((resolve) => child.once("error", resolve));
  try {
    await Promise.race([
      untilReady(child, how.port, how.password),
      spawnFault.then((fault) => {
        throw fault;
      }),
    ]);
    return child;
  } catch (cause) {
    child.kill("SIGQUIT");
    const said = readFileSync(layout.log).subarray(logStart).toString("utf8");
    throw diagnose(`${messageOf(cause)}\n${said}`, path.dirname(layout.cluster), cause);
  }
}

async function untilReady(child: ChildProcess, port: number, password: string): Promise<void> {
  let fault: unknown = new Error("no answer");
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += 50) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("postgres ended at its start");
    try {
      await ensureDatabase(port, password);
      return;
    } catch (thrown) {
      fault = thrown;
      // A wrong password does not get better by waiting.
      if ((thrown as { code?: string }).code === "28P01") break;
      await sleep(50);
    }
  }
  throw fault;
}

async function ensureDatabase(port: number, password: string): Promise<void> {
  const client = new Client({
    connectionString: urlOf(port, password, "postgres"),
    connectionTimeoutMillis: 5_000,
  });
  client.on("error", () => {});
  await client.connect();
  try {
    const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The server appends, so cutting the file to nothing is safe while it runs. */
function trimLog(log: string): void {
  try {
    if (statSync(log).size > MAX_LOG_BYTES) truncateSync(log);
  } catch {
    // not there yet
  }
}
