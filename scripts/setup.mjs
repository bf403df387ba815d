// Dependency-free set-up: brings a fresh Debian machine that has only Node and npm to where Huishi can run
// (`--for=start`) or be tested (`--for=test`). Every step is skipped when its result is already there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const MINIMUM_NODE = [20, 19];

/** A fault that a person can mend: one line that says what to do. */
class SetupError extends Error {}

let stepNumber = 0;
/** Runs one step and prints what it was and how long it took. */
export async function step(title, run) {
  stepNumber += 1;
  const startedMs = performance.now();
  process.stdout.write(`  ${stepNumber}. ${title} ... `);
  const said = await run();
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${said ?? "done"} (${seconds} s)\n`);
}

function runQuietly(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 64 << 20, ...options });
  if (result.error) throw new SetupError(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    const tail = `${result.stdout ?? ""}${result.stderr ?? ""}`.trim().split("\n").slice(-25).join("\n");
    throw new SetupError(`'${command} ${args.join(" ")}' failed:\n${tail}`);
  }
  return result.stdout;
}

function isOnPath(program) {
  return (process.env.PATH ?? "")
    .split(":")
    .some((folder) => folder !== "" && existsSync(join(folder, program)));
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: Huishi needs ${MINIMUM_NODE.join(".")} or newer. Install it and run the command again.`,
    );
  }
}

function sha256(...buffers) {
  const hash = createHash("sha256");
  for (const buffer of buffers) hash.update(buffer);
  return hash.digest("hex");
}

/** `npm ci`, skipped while node_modules belongs to this lockfile. No package's install script is run. */
function installPackages() {
  const stamp = join(root, "node_modules", ".huishi-lock");
  const wanted = sha256(readFileSync(join(root, "package-lock.json")), process.versions.node.split(".")[0]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return "already there";
  runQuietly("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, wanted);
  return "done";
}

/** Debian packages, installed by name: as root, through sudo without a password, or by telling what to install. */
function installDebianPackages(wanted) {
  const missing = wanted.filter(({ isThere }) => !isThere()).map(({ name }) => name);
  if (missing.length === 0) return "already there";
  const advice = `Install them with: sudo apt-get install ${missing.join(" ")}`;
  if (!isOnPath("apt-get"))
    throw new SetupError(
      `These programs are missing: ${missing.join(", ")}. ${advice} (or your system's equivalent)`,
    );
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot
    ? []
    : isOnPath("sudo") && spawnSync("sudo", ["-n", "true"]).status === 0
      ? ["sudo", "-n"]
      : null;
  if (prefix === null)
    throw new SetupError(`These Debian packages are missing: ${missing.join(", ")}. ${advice}`);
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    runQuietly(command, rest);
  };
  apt("update", "-q");
  apt("install", "-q", "-y", "--no-install-recommends", ...missing);
  return `installed ${missing.join(", ")}`;
}

const onPath = (name, program = name) => ({ name, isThere: () => isOnPath(program) });
const RUN_PACKAGES = [onPath("ffmpeg")];
const TEST_PACKAGES = [
  ...RUN_PACKAGES,
  onPath("chromium"),
  {
    name: "postgresql",
    isThere: () =>
      existsSync("/usr/lib/postgresql") &&
      readdirSync("/usr/lib/postgresql").some((v) => existsSync(`/usr/lib/postgresql/${v}/bin/postgres`)),
  },
  onPath("openssl"),
  {
    name: "faketime",
    isThere: () =>
      ["x86_64", "aarch64"].some((machine) =>
        existsSync(`/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`),
      ),
  },
  { name: "nats-server", isThere: () => isOnPath("nats-server") || existsSync("/usr/sbin/nats-server") },
  { name: "mosquitto", isThere: () => isOnPath("mosquitto") || existsSync("/usr/sbin/mosquitto") },
  {
    name: "fonts-noto-cjk",
    isThere: () => existsSync("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
  },
];

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "dist") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

/** The services are compiled by `tsc -b` (incremental); the dashboard only when one of its sources changed. */
function build() {
  runQuietly(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"]);
  const sources = ["dashboard", "packages/contracts", "packages/kernel", "packages/media"].flatMap(
    (folder) => [...filesBelow(join(root, folder))],
  );
  const fingerprint = sha256(
    ...sources
      .sort((a, b) => (a < b ? -1 : 1))
      .map((path) => `${path} ${statSync(path).size} ${sha256(readFileSync(path))}\n`),
  );
  const stamp = join(root, "dashboard/dist/.fingerprint");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint)
    return "services built, dashboard up to date";
  runQuietly("npm", ["run", "--silent", "build", "-w", "@huishi/dashboard"]);
  mkdirSync(join(root, "dashboard/dist"), { recursive: true });
  writeFileSync(stamp, fingerprint);
  return "services and dashboard built";
}

function buildModel() {
  const said = runQuietly(process.execPath, [join(root, "services/analytics/dist/model-build/main.js")]);
  return said.trim().split("\n").at(-1);
}

/** @param {"start" | "test"} purpose */
async function setUp(purpose) {
  checkNode();
  await step("Packages from npm", installPackages);
  await step("Programs from Debian", () =>
    installDebianPackages(purpose === "test" ? TEST_PACKAGES : RUN_PACKAGES),
  );
  await step("Build", build);
  await step("Detection model", buildModel);
}

/** Sets up, or says in a line what a person must do and ends the process. */
export async function setUpOrExit(purpose, title) {
  console.log(`Huishi: ${title}`);
  try {
    await setUp(purpose);
  } catch (error) {
    process.stdout.write("\n");
    console.error(error instanceof SetupError ? `Set-up stopped: ${error.message}` : error);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const purpose = process.argv.includes("--for=test") ? "test" : "start";
  setUp(purpose).catch((error) => {
    process.stdout.write("\n");
    console.error(error instanceof SetupError ? `Set-up stopped: ${error.message}` : error);
    process.exitCode = 1;
  });
}
