import { HuishiError } from "@huishi/kernel";
import { redactUrls } from "../logger.ts";

const FAULTS: readonly { readonly sign: RegExp; readonly code: string; readonly advice: string }[] = [
  {
    sign: /No space left on device|ENOSPC|could not extend file|Disk quota|EDQUOT/i,
    code: "DATABASE_DISK_FULL",
    advice: "the disk is full: free some space (the database needs about 300 MB to start)",
  },
  {
    sign: /Address already in use|EADDRINUSE|could not bind/i,
    code: "DATABASE_PORT_TAKEN",
    advice: "its port is taken: stop what uses it, or choose another port",
  },
  {
    sign: /Permission denied|EACCES|EROFS|EPERM|Read-only file system|invalid permissions|wrong ownership|ENOTDIR|EEXIST|ENOENT[^\n]*mkdir/i,
    code: "DATABASE_FOLDER_UNUSABLE",
    advice:
      "the folder cannot be written, or belongs to another user: correct its owner or choose another one",
  },
];

/** The coded error for what initdb or the server said when it did not start. */
export function diagnose(said: string, dataDir: string, cause: unknown): HuishiError {
  const known = FAULTS.find((fault) => fault.sign.test(said));
  const lastWords = said
    .split("\n")
    .filter((line) => /FATAL|PANIC|ERROR|error:/.test(line))
    .slice(-3)
    .join("; ");
  return new HuishiError(
    known?.code ?? "DATABASE_START_FAILED",
    known
      ? `the embedded database in ${dataDir} did not start: ${known.advice}`
      : `the embedded database in ${dataDir} did not start: ${redactUrls(lastWords || said.slice(0, 400))} (see postgres.log in it)`,
    { cause, details: { dataDir } },
  );
}
