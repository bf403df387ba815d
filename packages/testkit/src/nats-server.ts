import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { HuishiError } from "@huishi/kernel";
import { canConnect, freePort } from "./loopback-port.ts";
import { makeTlsFiles, type TestTlsFiles } from "./tls-files.ts";
import { until } from "./wait.ts";

const PROGRAM = "nats-server";
/** Debian installs it where only root's path looks. */
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin`;

/** False, with a line that says so, where nats-server is not installed. */
export function hasNatsServer(): boolean {
  const isThere = PATH.split(":").some((folder) => folder && existsSync(path.join(folder, PROGRAM)));
  if (!isThere) process.stderr.write("skipped, nats-server is not here (apt-get install nats-server)\n");
  return isThere;
}

export interface NatsServerOptions {
  readonly tls?: boolean;
  /** More lines of its configuration. */
  readonly config?: string;
}

/** A real nats-server on loopback. */
export class NatsServer {
  readonly port: number;
  /** Authority, certificate and key, or null where it speaks plain TCP. */
  readonly tls: TestTlsFiles | null;
  readonly folder: string;
  #child: ChildProcess | null = null;
  #said = "";

  private constructor(folder: string, port: number, tls: TestTlsFiles | null) {
    this.folder = folder;
    this.port = port;
    this.tls = tls;
  }

  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "huishi-nats-"));
    const tls = options.tls ? await makeTlsFiles(folder) : null;
    const server = new NatsServer(folder, await freePort(), tls);
    const secured = tls ? `tls { cert_file: "${tls.certFile}", key_file: "${tls.keyFile}" }` : "";
    await writeFile(
      path.join(folder, "nats.conf"),
      `listen: "127.0.0.1:${server.port}"\n${secured}\n${options.config ?? ""}\n`,
    );
    await server.run();
    return server;
  }

  get url(): string {
    return `${this.tls ? "tls" : "nats"}://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process (again), on the same port. */
  async run(): Promise<void> {
    const child = spawn(PROGRAM, ["-c", path.join(this.folder, "nats.conf")], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PATH },
    });
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => {
      this.#said = `${this.#said}${chunk.toString()}`.slice(-100_000);
    });
    await until("nats-server listens", () => {
      if (child.exitCode !== null)
        throw new HuishiError("TEST_NATS", `nats-server ended at its start: ${this.#said}`);
      return canConnect(this.port);
    });
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }
}
