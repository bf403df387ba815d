// The agent's log on its own disk: a few files of a bounded size, the oldest of which go.
import {
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
  openSync,
  closeSync,
  existsSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { LogSource } from "../../application/log-commands.ts";

const FILES = 8;
const DEFAULT_BYTES = 32 * 1024 * 1024;
/** Lines that wait for the disk. Overflow policy: `dropNewest`, told in the log as soon as there is room. */
const MAX_WAITING_BYTES = 1024 * 1024;
const FLUSH_MS = 200;
const NAME = /^edge-(\d{8})\.log$/;

/** Files of the folder, oldest first. */
export function logFilesIn(folder: string): { readonly file: string; readonly number: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const number = NAME.exec(name)?.[1];
      return number === undefined ? [] : [{ file: join(folder, name), number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
}

/**
 * A pino destination that never makes the agent wait: lines are gathered and written behind its back, what cannot be
 * written is dropped and counted. `close` (or the end of the process) writes what is left.
 */
export class LogFiles implements LogSource {
  readonly #folder: string;
  readonly #fileBytes: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #number: number;
  #size = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #handle: FileHandle | null = null;
  readonly #atExit = (): void => this.#writeNow();

  /** @param maxBytes of all files together */
  constructor(folder: string, maxBytes = DEFAULT_BYTES) {
    this.#folder = folder;
    this.#fileBytes = Math.floor(maxBytes / FILES);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const last = logFilesIn(folder).at(-1);
    this.#number = last?.number ?? 1;
    this.#size = last ? statSync(last.file).size : 0;
    process.once("exit", this.#atExit);
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  async newest(maxBytes: number): Promise<Buffer> {
    await this.#flush();
    const parts: Buffer[] = [];
    let left = maxBytes;
    for (const { file } of logFilesIn(this.#folder).reverse()) {
      if (left <= 0) break;
      const part = await endOf(file, left);
      parts.unshift(part);
      left -= part.byteLength;
    }
    const all = Buffer.concat(parts);
    // Cut in a line: it begins with the next one.
    return left > 0 ? all : all.subarray(all.indexOf(0x0a) + 1);
  }

  async close(): Promise<void> {
    process.removeListener("exit", this.#atExit);
    if (this.#timer) clearTimeout(this.#timer);
    await this.#flush();
    await this.#handle?.close();
    this.#handle = null;
  }

  #flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#append()).catch(() => undefined);
    return this.#writing;
  }

  async #append(): Promise<void> {
    const text = this.#take();
    if (text === "") return;
    try {
      this.#handle ??= await open(this.#file, "a", 0o600);
      await this.#handle.appendFile(text);
      this.#size += Buffer.byteLength(text);
      if (this.#size < this.#fileBytes) return;
      const full = this.#handle;
      this.#handle = null;
      await full.close();
      this.#next();
    } catch {
      // A full disk: nowhere to say it but in the log itself, when there is room again.
      this.#dropped += 1;
    }
  }

  #next(): void {
    this.#number += 1;
    this.#size = 0;
    for (const { file } of logFilesIn(this.#folder).slice(0, 1 - FILES)) rmSync(file, { force: true });
  }

  get #file(): string {
    return join(this.#folder, `edge-${String(this.#number).padStart(8, "0")}.log`);
  }

  #take(): string {
    const dropped = this.#dropped;
    const told =
      dropped === 0
        ? ""
        : `${JSON.stringify({ level: 40, time: Date.now(), dropped, msg: "log lines were lost" })}\n`;
    const text = this.#waiting.join("") + told;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#dropped = 0;
    return text;
  }

  #writeNow(): void {
    const text = this.#take();
    if (text === "") return;
    try {
      const file = openSync(this.#file, "a", 0o600);
      writeSync(file, text);
      closeSync(file);
    } catch {
      // The process ends.
    }
  }
}

async function endOf(file: string, maxBytes: number): Promise<Buffer> {
  const handle = await open(file, "r").catch(() => null);
  if (!handle) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, maxBytes);
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, size - length);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
