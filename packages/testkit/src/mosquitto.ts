import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { HuishiError } from "@huishi/kernel";
import { canConnect, freePort } from "./loopback-port.ts";
import { makeTlsFiles, type TestTlsFiles } from "./tls-files.ts";
import { until } from "./wait.ts";

const SHIPPED = fileURLToPath(new URL("../../../deploy/mosquitto/", import.meta.url));
const PROGRAM = "mosquitto";
/** Debian installs it where only root's path looks. */
const PATH = `${process.env["PATH"]}:/usr/sbin`;

/** A real mosquitto on loopback with the configuration, access list and account tool of deploy/mosquitto. */
export class Mosquitto {
  readonly port: number;
  /** Authority, certificate and key of its listener, or null where it speaks plain TCP. */
  readonly tls: TestTlsFiles | null;
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #said = "";

  private constructor(folder: string, port: number, tls: TestTlsFiles | null) {
    this.#folder = folder;
    this.port = port;
    this.tls = tls;
  }

  /** @param change lines of the configuration to replace, by their keyword */
  static async start(
    options: { readonly tls?: boolean; readonly change?: Readonly<Record<string, string>> } = {},
  ): Promise<Mosquitto> {
    const folder = await mkdtemp(path.join(tmpdir(), "huishi-mosquitto-"));
    const tls = options.tls ? await makeTlsFiles(folder) : null;
    const mosquitto = new Mosquitto(folder, await freePort(), tls);
    await copyFile(path.join(SHIPPED, "acl"), path.join(folder, "acl"));
    await writeFile(path.join(folder, "passwords"), "", { mode: 0o600 });
    await mosquitto.#writeConfiguration(options.change ?? {});
    await mosquitto.run();
    return mosquitto;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get url(): string {
    return `${this.tls ? "mqtts" : "mqtt"}://127.0.0.1:${this.port}`;
  }

  /** What it has logged. */
  get said(): string {
    return this.#said;
  }

  /** Makes the accounts `name` and `name_media`, as an operator does. */
  async addAccount(name: string, password: string): Promise<void> {
    await this.#account("add", name, `${password}\n`);
  }

  async removeAccount(name: string): Promise<void> {
    await this.#account("remove", name, "");
  }

  /** Writes the password to a file of its own, for ingest to read. */
  async passwordFile(password: string): Promise<string> {
    const file = path.join(this.#folder, "ingest-password");
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    return file;
  }

  /** Starts the process (again), on the same port. */
  async run(): Promise<void> {
    const child = spawn(PROGRAM, ["-c", path.join(this.#folder, "mosquitto.conf")], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PATH },
    });
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => {
      this.#said = `${this.#said}${chunk.toString()}`.slice(-100_000);
    });
    await until("mosquitto listens", () => {
      if (child.exitCode !== null)
        throw new HuishiError("TEST_MOSQUITTO", `mosquitto ended at its start: ${this.#said}`);
      return canConnect(this.port);
    });
  }

  /** Ends the process. SIGKILL is what a power cut is. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #writeConfiguration(change: Readonly<Record<string, string>>): Promise<void> {
    const shipped = await readFile(path.join(SHIPPED, "mosquitto.conf"), "utf8");
    const lines = shipped
      .replaceAll("/etc/mosquitto/huishi", this.#folder)
      .replace("/var/lib/mosquitto/", `${this.#folder}/`)
      .replace("listener 8883", `listener ${this.port} 127.0.0.1`)
      .split("\n")
      .filter((line) => this.tls !== null || !/^(certfile|keyfile|tls_version) /.test(line))
      .map((line) => {
        const keyword = line.split(" ")[0] ?? "";
        return change[keyword] === undefined ? line : `${keyword} ${change[keyword]}`;
      });
    // As root it would become the user mosquitto, who cannot read this folder.
    lines.push(`user ${userInfo().username}`, "");
    await writeFile(path.join(this.#folder, "mosquitto.conf"), lines.join("\n"));
  }

  async #account(action: "add" | "remove", name: string, stdin: string): Promise<void> {
    const child = execFile(path.join(SHIPPED, "account.sh"), [action, name], {
      env: { ...process.env, PATH, HUISHI_MOSQUITTO_DIR: this.#folder },
    });
    let said = "";
    child.stderr?.on("data", (chunk: string) => (said += chunk));
    child.stdin?.end(stdin);
    const [code] = (await once(child, "close")) as [number];
    if (code !== 0) throw new HuishiError("TEST_MOSQUITTO", `account.sh failed: ${said}`);
    this.#child?.kill("SIGHUP");
  }
}
