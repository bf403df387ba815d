// A PostgreSQL of Debian's package in a folder of its own, on loopback, for as long as `work` takes.
import { spawn, spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PACKAGES = "/usr/lib/postgresql";

/** PostgreSQL refuses to run as root: then it runs as the package's own user. */
function identity() {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function mustRun(command, args, options) {
  const result = spawnSync(command, args, { encoding: "utf8", ...options });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stderr || result.error?.message}`);
}

/** @param work is given the address; what it returns is returned when the server has stopped */
export async function withDebianPostgres(work) {
  const version = readdirSync(PACKAGES).sort((a, b) => Number(b) - Number(a))[0];
  const bin = (program) => join(PACKAGES, version, "bin", program);
  const folder = mkdtempSync(join(tmpdir(), "huishi-debian-"));
  const runAs = identity();
  if (runAs.uid !== undefined) chownSync(folder, runAs.uid, runAs.gid);
  const data = join(folder, "data");
  const options = { ...runAs, cwd: folder };
  mustRun(
    bin("initdb"),
    ["-D", data, "-U", "huishi", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
    options,
  );
  const port = await freePort();
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    "max_connections=200",
  ];
  const server = spawn(bin("postgres"), ["-D", data, ...settings.flatMap((each) => ["-c", each])], {
    ...options,
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  try {
    for (
      let look = 0;
      spawnSync(bin("pg_isready"), ["-q", "-h", "127.0.0.1", "-p", String(port)]).status !== 0;
      look++
    ) {
      if (look > 300 || server.exitCode !== null) throw new Error("Debian's PostgreSQL did not start");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return await work(`postgres://huishi@127.0.0.1:${port}/postgres`, version);
  } finally {
    server.kill("SIGINT");
    await ended;
    if (statSync(folder).isDirectory()) rmSync(folder, { recursive: true, force: true });
  }
}
