import {
  type BackupManifest,
  createBackup,
  createLogger,
  type Logger,
  restoreBackup,
  verifyBackup,
} from "@huishi/platform";
import { HuishiError } from "@huishi/kernel";
import { createInterface } from "node:readline/promises";
import { VERSION } from "../version.ts";
import {
  type BackupCommand,
  BACKUP_USAGE,
  parseBackupCommand,
  parseRestoreCommand,
  readPassphrase,
  type RestoreCommand,
  RESTORE_USAGE,
} from "./command-line.ts";
import { openAlone, openToRead } from "./database-of-state.ts";
import { megabytes, ProgressLines } from "./progress-lines.ts";
import { listStateFiles, stateFilesTo } from "./state-files.ts";

/** Exit codes: 0 done, 1 not done (the message begins with a code of docs/errors.md), 2 wrong options, 130 Ctrl-C. */
async function runCommand(
  usage: string,
  args: readonly string[],
  work: (progress: ProgressLines, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const progress = new ProgressLines((text) => process.stdout.write(text));
  if (args.includes("--help")) {
    progress.line(usage);
    return;
  }
  const stop = new AbortController();
  const onSignal = (): void => {
    // A second one, by somebody who cannot wait.
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write("Stopping; nothing unfinished is kept.\n");
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await work(progress, stop.signal);
  } catch (error) {
    if (!(error instanceof HuishiError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = error.code === "BACKUP_STOPPED" ? 130 : error.code === "OPTION_INVALID" ? 2 : 1;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

const quietLogger = (): Logger =>
  createLogger({
    name: "huishi-backup",
    level: "error",
    destination: { write: (line) => void process.stderr.write(line) },
  });

/** What `npm run backup` runs after the set-up. */
export function runBackup(args: readonly string[]): Promise<void> {
  return runCommand(BACKUP_USAGE, args, async (progress, signal) => {
    const command = parseBackupCommand(args, process.env, process.cwd());
    const passphrase = await readPassphrase(command.passphraseFile);
    if (command.action === "make") await makeBackup(command, passphrase, { progress, signal });
    else await verify(command.file, passphrase, { progress, signal });
  });
}

interface Terminal {
  readonly progress: ProgressLines;
  readonly signal: AbortSignal;
}

async function makeBackup(
  command: BackupCommand,
  passphrase: string | null,
  { progress, signal }: Terminal,
): Promise<void> {
  const startedMs = performance.now();
  const database = await openToRead(command, quietLogger());
  try {
    const { files, leftOut } = await listStateFiles(command.stateDir, {
      isRunning: database.isRunning,
      archive: command.file,
    });
    progress.line(`Backup of ${command.stateDir}${database.isRunning ? " (Huishi runs)" : ""}`);
    const { manifest, archiveBytes } = await createBackup({
      databaseUrl: database.databaseUrl,
      file: command.file,
      passphrase,
      files,
      filesLeftOut: leftOut,
      productVersion: VERSION,
      signal,
      onProgress: ({ fraction, bytes, table }) => progress.report("dumped", fraction, bytes, table),
    });
    const seconds = (performance.now() - startedMs) / 1000;
    progress.line(`  ${contentsOf(manifest)}`);
    progress.line(`  ${command.file}: ${megabytes(archiveBytes)} in ${seconds.toFixed(1)} s`);
    if (passphrase === null) {
      progress.line(
        "  It holds secrets (accounts of cameras, keys of agents) in the clear, readable by you alone: keep it so, or use --passphrase-file.",
      );
    }
  } finally {
    await database.close();
  }
}

async function verify(
  file: string,
  passphrase: string | null,
  { progress, signal }: Terminal,
): Promise<void> {
  const onRead = (bytes: number, total: number): void =>
    progress.report("verified", bytes / (total || 1), bytes);
  const manifest = await verifyBackup({ file, passphrase, onRead }, signal);
  progress.line(
    `  ${file} is whole: made ${manifest.createdAt} by version ${manifest.productVersion} (PostgreSQL ${manifest.server.version}, ${manifest.server.mode})`,
  );
  progress.line(`  ${contentsOf(manifest)}`);
}

function contentsOf(manifest: BackupManifest): string {
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = manifest.tables.reduce((sum, table) => sum + table.bytes, 0);
  return `${manifest.tables.length} tables, ${rows} rows (${megabytes(bytes)}), ${manifest.files.length} configuration files`;
}

/** What `npm run restore` runs after the set-up. */
export function runRestore(args: readonly string[]): Promise<void> {
  return runCommand(RESTORE_USAGE, args, async (progress, signal) => {
    const command = parseRestoreCommand(args, process.env, process.cwd());
    const passphrase = await readPassphrase(command.passphraseFile);
    if (command.replace && !command.isConfirmed) await confirm(command, signal);
    await restore(command, passphrase, { progress, signal });
  });
}

async function confirm(command: RestoreCommand, signal: AbortSignal): Promise<void> {
  const refused = (why: string): HuishiError => new HuishiError("RESTORE_NOT_CONFIRMED", why);
  if (!process.stdin.isTTY)
    throw refused("--replace removes what is there: add --yes where nobody can be asked");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(
      `Everything in the database of ${command.stateDir} is removed. Type 'replace' to go on: `,
      { signal },
    );
    if (answer.trim() !== "replace") throw refused("not confirmed: nothing was changed");
  } catch (error) {
    throw error instanceof HuishiError ? error : refused("not confirmed: nothing was changed");
  } finally {
    terminal.close();
  }
}

const PHASES = { verify: "verified", load: "loaded", compare: "compared", finish: "finishing" } as const;

async function restore(
  command: RestoreCommand,
  passphrase: string | null,
  { progress, signal }: Terminal,
): Promise<void> {
  const startedMs = performance.now();
  const database = await openAlone(command, quietLogger());
  try {
    progress.line(`Restore of ${command.file} into ${command.stateDir}`);
    const { manifest, foreignTables, migratedOn } = await restoreBackup({
      databaseUrl: database.databaseUrl,
      file: command.file,
      passphrase,
      files: stateFilesTo(command.stateDir, command.replace),
      replace: command.replace,
      skipForeignTables: command.skipForeignTables,
      logger: quietLogger(),
      signal,
      onProgress: ({ phase, fraction, bytes, table }) =>
        progress.report(PHASES[phase], fraction, bytes, table),
    });
    progress.line(`  ${contentsOf(manifest)}: every table's rows and hash are those of the archive`);
    if (foreignTables.length > 0) progress.line(`  passed over: ${foreignTables.join(", ")}`);
    if (migratedOn.length > 0) progress.line(`  migrated on: ${migratedOn.join(", ")}`);
    progress.line(
      `  done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s; people sign in again.`,
    );
  } finally {
    await database.close();
  }
}
