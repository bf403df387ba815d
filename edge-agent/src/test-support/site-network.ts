// Two network namespaces joined by a cable: a site's cameras in one, its agent in the other.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);
const PREFIX = "huishi-test";

export type Side = "cameras" | "agent";

/** IPv6 only: link-local addresses and unique local ones, the same interface name on both sides. */
export class SiteNetwork {
  static readonly interfaceName = "site0";
  readonly #id: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(id: string) {
    this.#id = id;
  }

  /** @returns why not, where namespaces are not permitted */
  static async create(): Promise<SiteNetwork | string> {
    const network = new SiteNetwork(String(process.pid));
    try {
      await network.#build();
      return network;
    } catch (error) {
      await network.remove();
      const { stderr, code } = error as { stderr?: string; code?: string | number };
      return stderr?.trim().split("\n")[0] || String(code ?? error);
    }
  }

  /** Link-local and unique local address of a side. */
  static addressesOf(side: Side): { readonly link: string; readonly routed: string } {
    const last = side === "cameras" ? "c" : "a";
    return { link: `fe80::${last}`, routed: `fd77::${last}` };
  }

  /** Runs a TypeScript file on one side; it is told `argument` and speaks by messages. */
  start(side: Side, entry: string, argument: unknown): ChildProcess {
    const node = [process.execPath, "--import", "tsx", "--conditions=huishi-source", entry];
    const child = spawn("ip", ["netns", "exec", this.#name(side), ...node, JSON.stringify(argument)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"] },
    });
    this.#children.add(child);
    return child;
  }

  async remove(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    for (const side of ["cameras", "agent"] as const)
      await run("ip", ["netns", "del", this.#name(side)]).catch(() => undefined);
  }

  async #build(): Promise<void> {
    const [cameras, agent] = [this.#name("cameras"), this.#name("agent")];
    for (const name of [cameras, agent]) await run("ip", ["netns", "add", name]);
    const peer = ["type", "veth", "peer", "name", SiteNetwork.interfaceName, "netns", agent];
    await run("ip", ["-n", cameras, "link", "add", SiteNetwork.interfaceName, ...peer]);
    for (const side of ["cameras", "agent"] as const) {
      const { link, routed } = SiteNetwork.addressesOf(side);
      const ip = (...args: string[]): Promise<unknown> => run("ip", ["-n", this.#name(side), ...args]);
      await ip("link", "set", "lo", "up");
      await ip("link", "set", SiteNetwork.interfaceName, "addrgenmode", "none");
      await ip("link", "set", SiteNetwork.interfaceName, "up");
      for (const address of [link, routed])
        await ip("addr", "add", `${address}/64`, "dev", SiteNetwork.interfaceName, "nodad");
    }
  }

  #name(side: Side): string {
    return `${PREFIX}-${this.#id}-${side}`;
  }
}
