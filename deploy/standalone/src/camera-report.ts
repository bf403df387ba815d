// Tells the person at the terminal, in one line each, what became of their cameras.
import { sleep } from "@huishi/kernel";
import type { Queryable } from "./demo-rule.ts";

const LOOK_EVERY_MS = 2_000;

/** What each condition means to somebody who just started Huishi. */
const WORDS: Readonly<Record<string, string>> = {
  online: "is there",
  offline: "is offline",
  degraded: "sends pictures with a fault",
  no_frames: "answers but sends no pictures",
  auth_failed:
    "refused the account; set HUISHI_CAMERA_USER and HUISHI_CAMERA_PASSWORD and start again (only one attempt was made)",
  unreachable: "cannot be reached; check its power, network and address. It is tried again by itself",
};

/** Prints a line whenever a camera's condition changes, until the signal aborts. A database that is away is waited for. */
export async function reportCameras(
  database: Queryable,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = new Map<string, string>();
  while (!signal.aborted) {
    try {
      for (const line of await changedConditions(database, told)) print(line);
      await sleep(LOOK_EVERY_MS, signal);
    } catch {
      await sleep(LOOK_EVERY_MS, signal).catch(() => {});
    }
  }
}

async function changedConditions(database: Queryable, told: Map<string, string>): Promise<string[]> {
  const { rows } = await database.query(
    `SELECT id, name, condition, condition_code FROM camera WHERE condition_since IS NOT NULL ORDER BY id`,
  );
  const lines: string[] = [];
  for (const row of rows as {
    id: string;
    name: string;
    condition: string;
    condition_code: string | null;
  }[]) {
    if (told.get(row.id) === row.condition) continue;
    told.set(row.id, row.condition);
    const code = row.condition_code === null ? "" : ` (${row.condition_code})`;
    const mark = row.condition === "online" ? " " : "!";
    lines.push(`  ${mark} Camera ${row.name} ${WORDS[row.condition] ?? row.condition}${code}`);
  }
  return lines;
}
