/** What the evaluation tools share: options, files, and how they fail: one coded line on stderr, exit status 2. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { HuishiError, messageOf } from "../../packages/kernel/src/index.ts";
import { formatMot, type MotRow, parseMot, type Scores } from "../../services/analytics/src/eval/index.ts";

const LARGEST_FILE = 256 * 1024 * 1024;

/** @throws EVAL_USAGE */
export function usage(message: string): never {
  throw new HuishiError("EVAL_USAGE", message);
}

/** A number above 0 given on the command line. @throws EVAL_USAGE */
export function positive(name: string, text: string | undefined, { whole = false } = {}): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
    usage(`--${name} ${text}: give a ${whole ? "whole " : ""}number above 0.`);
  return value;
}

/** @throws EVAL_FILE_UNREADABLE, MOT_FILE_INVALID */
export function readMot(file: string): MotRow[] {
  return parseMot(readText(file), file);
}

/** @throws EVAL_FILE_UNREADABLE */
export function readText(file: string): string {
  try {
    if (statSync(file).size > LARGEST_FILE) throw new Error("it is larger than 256 MiB");
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new HuishiError("EVAL_FILE_UNREADABLE", `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** @throws EVAL_FILE_UNREADABLE */
export function writeMot(file: string, rows: readonly MotRow[]): void {
  try {
    writeFileSync(file, formatMot(rows));
  } catch (cause) {
    throw new HuishiError("EVAL_FILE_UNREADABLE", `${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
}

export function percent(value: number | null): string {
  return value === null ? "-" : (value * 100).toFixed(1);
}

export function scoreLine({ hota, detA, assA, mota, idf1, idSwitches }: Scores): string {
  return `HOTA ${percent(hota)} DetA ${percent(detA)} AssA ${percent(assA)} MOTA ${percent(mota)} IDF1 ${percent(idf1)} switches ${idSwitches}`;
}

/** Runs a tool's main function; a fault of the tool itself is thrown on, with where it happened. */
export async function runTool(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === null) throw thrown;
    process.stderr.write(`${code}: ${messageOf(thrown)}\n`);
    process.exitCode = 2;
  }
}

function codeOf(thrown: unknown): string | null {
  if (thrown instanceof HuishiError) return thrown.code;
  const { code } = thrown as { code?: unknown };
  return typeof code === "string" && code.startsWith("ERR_PARSE_ARGS") ? "EVAL_USAGE" : null;
}
