import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseBackupCommand, parseRestoreCommand, readPassphrase } from "./command-line.ts";
import { ProgressLines } from "./progress-lines.ts";
import { listStateFiles, stateFilesTo } from "./state-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-backup-cli-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, content = path): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

test("options are read, and DATABASE_URL and HUISHI_STATE count", () => {
  expect(
    parseBackupCommand(["--to", "a"], { HUISHI_STATE: "s", DATABASE_URL: "postgres://x" }, "/w"),
  ).toEqual({
    action: "make",
    file: "/w/a",
    stateDir: "/w/s",
    passphraseFile: null,
    databaseUrl: "postgres://x",
  });
  expect(parseBackupCommand(["--verify", "a", "--passphrase-file", "p"], {}, "/w")).toMatchObject({
    action: "verify",
    passphraseFile: "/w/p",
  });
  expect(parseRestoreCommand(["--from", "/b", "--replace", "--yes"], {}, "/w")).toMatchObject({
    file: "/b",
    stateDir: "/w/var",
    replace: true,
    isConfirmed: true,
    skipForeignTables: false,
  });
});

test.each([[[]], [["--to", "a", "--verify", "b"]], [["--to", ""]], [["--too", "a"]], [["a"]]])(
  "bad options of a backup are refused: %j",
  (args: string[]) => {
    expect(() => parseBackupCommand(args, {}, "/w")).toThrow(/npm run backup -- --help/);
  },
);

test("a restore without an archive is refused", () => {
  expect(() => parseRestoreCommand([], {}, "/w")).toThrow(/npm run restore -- --help/);
});

test("a passphrase is a file's first line, long enough and nobody else's to read", async () => {
  const file = join(folder, "passphrase");
  await writeFile(file, "correct horse battery\nnot this\n", { mode: 0o600 });
  expect(await readPassphrase(file)).toBe("correct horse battery");
  await chmod(file, 0o644);
  await expect(readPassphrase(file)).rejects.toMatchObject({ code: "PASSPHRASE_FILE_UNUSABLE" });
  await chmod(file, 0o600);
  await writeFile(file, "short");
  await expect(readPassphrase(file)).rejects.toMatchObject({ code: "PASSPHRASE_FILE_UNUSABLE" });
  await expect(readPassphrase(join(folder, "none"))).rejects.toMatchObject({
    code: "PASSPHRASE_FILE_UNUSABLE",
  });
  expect(await readPassphrase(null)).toBeNull();
});

test("the state folder's files are kept, but for the database, logs, caches, locks and the archive itself", async () => {
  const present = `edge-agent.json edge-agent/identity.json edge-agent/cameras.json edge-agent/outbox/1.seg
    postgres/password logs/huishi.log footage/x.mp4 demo/vtest.avi demo/rule-given
    huishi.pid edge-agent.json.part city.backup city.backup.partial`;
  for (const path of present.split(/\s+/)) await put(path);
  await symlink("/etc/passwd", join(folder, "link"));
  const archive = join(folder, "city.backup");
  const pathsOf = async (isRunning: boolean): Promise<string[]> =>
    (await listStateFiles(folder, { isRunning, archive })).files.map(({ path }) => path);
  const always = [
    "demo/rule-given",
    "edge-agent.json",
    "edge-agent/cameras.json",
    "edge-agent/identity.json",
  ];
  expect(await pathsOf(true)).toEqual(always);
  expect(await pathsOf(false)).toEqual([...always, "edge-agent/outbox/1.seg"]);
  const { leftOut } = await listStateFiles(folder, { isRunning: true, archive });
  expect(leftOut.map(({ path }) => path).sort()).toEqual(
    [
      "demo",
      "edge-agent.json.part",
      "edge-agent/outbox",
      "footage",
      "huishi.pid",
      "link",
      "logs",
      "postgres",
    ].sort(),
  );
  expect(await listStateFiles(join(folder, "none"), { isRunning: false, archive })).toEqual({
    files: [],
    leftOut: [],
  });
});

async function* contentOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

test("restored files stay aside until the database is in, and are readable by their owner only", async () => {
  const files = stateFilesTo(folder, false);
  await files.stage("edge-agent/identity.json", contentOf("new"));
  expect(await readdir(folder)).toEqual([".restore"]);
  await files.publish();
  expect(await readdir(folder)).toEqual(["edge-agent"]);
  expect(await readFile(join(folder, "edge-agent/identity.json"), "utf8")).toBe("new");
  expect((await stat(join(folder, "edge-agent/identity.json"))).mode & 0o777).toBe(0o600);
});

test("files that are there are refused before anything changes, unless they shall be replaced", async () => {
  await put("edge-agent.json", "old");
  const refusing = stateFilesTo(folder, false);
  await expect(refusing.stage("edge-agent.json", contentOf("new"))).rejects.toMatchObject({
    code: "RESTORE_TARGET_NOT_EMPTY",
  });
  await refusing.discard();
  const replacing = stateFilesTo(folder, true);
  await replacing.stage("edge-agent.json", contentOf("new"));
  await replacing.publish();
  expect(await readFile(join(folder, "edge-agent.json"), "utf8")).toBe("new");
  expect(await readdir(folder)).toEqual(["edge-agent.json"]);
});

test("progress has a line every two seconds, with percentage and rate", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const progress = new ProgressLines(
    (text) => lines.push(text),
    () => nowMs,
  );
  for (; nowMs <= 4000; nowMs += 500) progress.report("dumped", nowMs / 10_000, nowMs * 1000, "detection");
  expect(lines).toEqual([
    "  dumped 20 %, 2.0 MB, 1.0 MB/s (detection)\n",
    "  dumped 40 %, 4.0 MB, 1.0 MB/s (detection)\n",
  ]);
});
