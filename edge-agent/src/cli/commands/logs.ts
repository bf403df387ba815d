import { sleep } from "@huishi/kernel";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { logFilesIn } from "../../adapters/log-files/log-files.ts";
import { loadConfig, withEnvironment } from "../../config.ts";
import { formatLogRecord, readLogLine } from "../log-lines.ts";
import { plainText, type Terminal } from "../terminal.ts";

/** Lines that are shown of what is there already. */
const SHOWN = 100;
const LOOK_MS = 500;

/** A place in the log: all before it was read. */
interface Place {
  readonly number: number;
  readonly bytes: number;
}

/** The last lines of the log that are wanted; with `--follow` those that come, too, until it is ended. */
export async function logs(terminal: Terminal): Promise<number> {
  const config = withEnvironment(await loadConfig(terminal.configFile), process.env);
  const folder = join(config.stateDir, "logs");
  if (logFilesIn(folder).length === 0) {
    terminal.tell(`${terminal.texts.noLogs} ${folder}\n`);
    if (!terminal.logs.isFollowed) return 1;
  }
  const last: string[] = [];
  let place = await readOn(folder, { number: 0, bytes: 0 }, (line) => {
    const shown = shownLine(line, terminal);
    if (shown !== null && last.push(shown) > SHOWN) last.shift();
  });
  for (const line of last) terminal.print(line);
  while (terminal.logs.isFollowed && !terminal.signal.aborted) {
    await sleep(LOOK_MS, terminal.signal).catch(() => undefined);
    place = await readOn(folder, place, (line) => {
      const shown = shownLine(line, terminal);
      if (shown !== null) terminal.print(shown);
    });
  }
  return 0;
}

function shownLine(line: string, { logs: wanted, isJson }: Terminal): string | null {
  const record = readLogLine(line, wanted);
  if (record === null) return null;
  return isJson ? JSON.stringify(record) : plainText(formatLogRecord(record));
}

/** Hands out the whole lines behind the place; a file that was deleted meanwhile is passed over. */
async function readOn(folder: string, from: Place, onLine: (line: string) => void): Promise<Place> {
  let place = from;
  for (const { file, number } of logFilesIn(folder)) {
    if (number < place.number) continue;
    const start = number === place.number ? place.bytes : 0;
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    place = { number, bytes: size > start ? await readLines({ file, start, size }, onLine) : start };
  }
  return place;
}

/** A line that is being written is left for the next look. */
async function readLines(
  { file, start, size }: { readonly file: string; readonly start: number; readonly size: number },
  onLine: (line: string) => void,
): Promise<number> {
  const lines = createInterface({ input: createReadStream(file, { start, end: size - 1 }) });
  let at = start;
  for await (const line of lines) {
    const end = at + Buffer.byteLength(line) + 1;
    if (end > size) break;
    at = end;
    onLine(line);
  }
  return at;
}
