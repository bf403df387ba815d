import { HuishiError } from "@huishi/kernel";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface BackupCommand {
  /** `make` writes an archive, `verify` only reads one. */
  readonly action: "make" | "verify";
  readonly file: string;
  readonly stateDir: string;
  readonly passphraseFile: string | null;
  /** null: the embedded database of the state folder. A secret. */
  readonly databaseUrl: string | null;
}

export interface RestoreCommand {
  readonly file: string;
  readonly stateDir: string;
  readonly passphraseFile: string | null;
  readonly databaseUrl: string | null;
  readonly replace: boolean;
  /** Nobody is asked before rows are removed. */
  readonly isConfirmed: boolean;
  readonly skipForeignTables: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const BACKUP_USAGE = `npm run backup -- --to FILE [options]
npm run backup -- --verify FILE [--passphrase-file FILE]

  --to FILE               the archive to make, which must not exist; Huishi may run meanwhile
  --verify FILE           only reads an archive in full and says whether it is whole
  --passphrase-file FILE  encrypt (or read) it with the passphrase in that file
  --state FOLDER          state folder, default var/
  DATABASE_URL            the external database, where Huishi uses one`;

export const RESTORE_USAGE = `npm run restore -- --from FILE [options]

  --from FILE             the archive; Huishi must be stopped
  --passphrase-file FILE  the file with its passphrase, if it is encrypted
  --state FOLDER          state folder to restore into, default var/
  --replace               remove what is in the database and replace configuration files; asks first
  --yes                   with --replace: do not ask
  --skip-foreign-tables   pass over tables of the archive that are none of Huishi's
  DATABASE_URL            the external database, where Huishi uses one`;

const COMMON = {
  state: { type: "string" },
  "passphrase-file": { type: "string" },
} as const;

/** @throws HuishiError OPTION_INVALID */
export function parseBackupCommand(args: readonly string[], env: Environment, cwd: string): BackupCommand {
  const { values } = orInvalid("backup", () =>
    parseArgs({
      args: [...args],
      options: { ...COMMON, to: { type: "string" }, verify: { type: "string" } },
    }),
  );
  const { to, verify } = values;
  if ((to === undefined) === (verify === undefined)) throw invalid("backup", "Give either --to or --verify.");
  return {
    action: to === undefined ? "verify" : "make",
    file: resolve(cwd, given("backup", to ?? verify)),
    ...placesOf(values, env, cwd),
  };
}

/** @throws HuishiError OPTION_INVALID */
export function parseRestoreCommand(args: readonly string[], env: Environment, cwd: string): RestoreCommand {
  const { values } = orInvalid("restore", () =>
    parseArgs({
      args: [...args],
      options: {
        ...COMMON,
        from: { type: "string" },
        replace: { type: "boolean" },
        yes: { type: "boolean" },
        "skip-foreign-tables": { type: "boolean" },
      },
    }),
  );
  return {
    file: resolve(cwd, given("restore", values.from)),
    ...placesOf(values, env, cwd),
    replace: values.replace ?? false,
    isConfirmed: values.yes ?? false,
    skipForeignTables: values["skip-foreign-tables"] ?? false,
  };
}

function placesOf(
  values: { state?: string | undefined; "passphrase-file"?: string | undefined },
  env: Environment,
  cwd: string,
): { stateDir: string; passphraseFile: string | null; databaseUrl: string | null } {
  const passphraseFile = values["passphrase-file"];
  return {
    stateDir: resolve(cwd, values.state ?? env["HUISHI_STATE"] ?? "var"),
    passphraseFile: passphraseFile === undefined ? null : resolve(cwd, passphraseFile),
    databaseUrl: env["DATABASE_URL"] ?? null,
  };
}

function given(command: string, file: string | undefined): string {
  if (file === undefined || file === "") throw invalid(command, "The archive's file is missing.");
  return file;
}

function orInvalid<T>(command: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(command, `${(error as Error).message}.`);
  }
}

const invalid = (command: string, message: string): HuishiError =>
  new HuishiError("OPTION_INVALID", `${message} 'npm run ${command} -- --help' lists the options.`);

const MINIMUM_CHARACTERS = 12;

/**
 * Reads a passphrase: the file's first line.
 *
 * @throws HuishiError PASSPHRASE_FILE_UNUSABLE when it cannot be read, others may read it, or it is too short.
 */
export async function readPassphrase(file: string | null): Promise<string | null> {
  if (file === null) return null;
  const unusable = (why: string, cause?: unknown): HuishiError =>
    new HuishiError("PASSPHRASE_FILE_UNUSABLE", `${file}: ${why}`, { cause });
  let text: string;
  try {
    if (((await stat(file)).mode & 0o077) !== 0) throw unusable("others can read it: chmod 600 it first");
    text = await readFile(file, "utf8");
  } catch (error) {
    throw error instanceof HuishiError ? error : unusable((error as Error).message, error);
  }
  const passphrase = text.split(/\r?\n/)[0] ?? "";
  if (passphrase.length < MINIMUM_CHARACTERS) {
    throw unusable(`its first line has fewer than ${MINIMUM_CHARACTERS} characters`);
  }
  return passphrase;
}
