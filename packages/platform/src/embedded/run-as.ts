import { execFile } from "node:child_process";
import { chownSync, lstatSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { HuishiError } from "@huishi/kernel";

const run = promisify(execFile);

/** How to start a program so that PostgreSQL, which refuses root, accepts its user. */
export interface RunAs {
  readonly kind: "self" | "userNamespace" | "unprivilegedUser";
  /** The command line to really start for `program args...`. */
  command(program: string, args: readonly string[]): { file: string; args: string[] };
  /** Options for spawn. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
  /** Hands a folder and all in it to that user. */
  own(folder: string): void;
}

/**
 * An ordinary user runs PostgreSQL as himself. Root runs it in a user namespace where root's files seem to belong
 * to user 1000 (user_namespaces(7)); where namespaces are forbidden, as in most containers, as an unprivileged
 * user who can reach the program.
 *
 * Errors: EMBEDDED_POSTGRES_ROOT when neither way works.
 */
export async function chooseRunAs(program: string, dataDir: string): Promise<RunAs> {
  const plain = { command: (file: string, args: readonly string[]) => ({ file, args: [...args] }) };
  if (process.getuid?.() !== 0) {
    return { kind: "self", ...plain, identity: {}, own: () => {} };
  }
  const inNamespace = (file: string, args: readonly string[]): { file: string; args: string[] } => ({
    file: "unshare",
    args: ["--user", "--map-user=1000", "--map-group=1000", file, ...args],
  });
  // A folder that an earlier start gave to an unprivileged user stays his. In the namespace root has no power over
  // what belongs to others: a folder below somebody's home of mode 700 cannot be reached.
  const isRootOwned = ownerOf(dataDir).uid === 0;
  const canWriteThere = inNamespace("sh", ["-c", 'test -w "$0"', dataDir]);
  if (
    isRootOwned &&
    (await canRun(inNamespace(program, ["--version"]), {})) &&
    (await canRun(canWriteThere, {}))
  ) {
    return { kind: "userNamespace", command: inNamespace, identity: {}, own: () => {} };
  }
  for (const identity of await unprivilegedUsers(dataDir)) {
    const canEnter = { file: "sh", args: ["-c", 'cd "$0"', path.dirname(dataDir)] };
    if (!(await canRun({ file: program, args: ["--version"] }, identity))) continue;
    if (!(await canRun(canEnter, identity))) continue;
    return { kind: "unprivilegedUser", ...plain, identity, own: (folder) => chownTree(folder, identity) };
  }
  throw new HuishiError(
    "EMBEDDED_POSTGRES_ROOT",
    "PostgreSQL does not run as root, user namespaces are forbidden here and no unprivileged user can reach its program: start as an ordinary user, or set DATABASE_URL",
  );
}

async function canRun(
  command: { file: string; args: string[] },
  identity: { uid?: number; gid?: number },
): Promise<boolean> {
  try {
    await run(command.file, command.args, {
      ...identity,
      timeout: 10_000,
      env: { LC_ALL: "C", PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    });
    return true;
  } catch {
    return false;
  }
}

/** The owner of the data or of the folder above it first, then the usual accounts. */
async function unprivilegedUsers(dataDir: string): Promise<{ uid: number; gid: number }[]> {
  const users = [ownerOf(dataDir), ownerOf(path.dirname(dataDir))];
  const accounts = await readFile("/etc/passwd", "utf8").catch(() => "");
  for (const name of ["postgres", "nobody"]) {
    const fields = accounts
      .split("\n")
      .map((line) => line.split(":"))
      .find(([account]) => account === name);
    if (fields) users.push({ uid: Number(fields[2]), gid: Number(fields[3]) });
  }
  return users.filter((user) => user.uid > 0);
}

function ownerOf(folder: string): { uid: number; gid: number } {
  const { uid, gid } = statSync(folder);
  return { uid, gid };
}

function chownTree(folder: string, user: { uid: number; gid: number }): void {
  chownSync(folder, user.uid, user.gid);
  for (const name of readdirSync(folder)) {
    const at = path.join(folder, name);
    const stat = lstatSync(at);
    if (stat.isDirectory()) chownTree(at, user);
    else if (stat.isFile()) chownSync(at, user.uid, user.gid);
  }
}
