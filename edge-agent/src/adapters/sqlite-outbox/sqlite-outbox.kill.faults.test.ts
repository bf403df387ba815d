import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readAll, stored } from "../../test-support/outbox-contract.ts";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { SqliteOutbox } from "./sqlite-outbox.ts";

const ENTRY = fileURLToPath(new URL("../../test-support/outbox-writer-process.ts", import.meta.url));
const KILLS = 10;

/** Lets a child write and kills it, some time after its first append. @returns what it told, in whole lines */
async function writeUntilKilled(
  folder: string,
  first: number,
  maxEvents = 1_000_000,
): Promise<{ boot: string; ids: number[] }> {
  const numbers = [first, maxEvents].map(String);
  const args = ["--import", "tsx", "--conditions=huishi-source", ENTRY, folder, ...numbers];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  const begun = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      told += chunk.toString();
      if (told.split("\n").length > 3) resolve();
    });
  });
  await Promise.race([begun, once(child, "exit")]);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
  child.kill("SIGKILL");
  await once(child, "close");
  const [bootLine = "", ...lines] = told.slice(0, told.lastIndexOf("\n")).split("\n");
  return { boot: bootLine.slice("boot ".length), ids: lines.map(Number) };
}

test(`nothing that was stored is missing or doubled after ${KILLS} kills in the middle of writes`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "outbox-kill-"));
  const told = new Map<number, string>();
  let first = 0;
  for (let round = 0; round < KILLS; round++) {
    const { boot, ids } = await writeUntilKilled(folder, first);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) told.set(id, boot);
    first = Math.max(first, ...ids) + 1_000;
  }
  const outbox = await SqliteOutbox.open({ folder, log: recordedLog() });
  const events = (await readAll(outbox)).flatMap(({ boot, events: some }) =>
    some.map((event) => ({ boot, seq: event.seq, id: event.capturedAtMs })),
  );
  await outbox.close();
  const found = new Map(events.map(({ id, boot }) => [id, boot]));
  expect([...told].filter(([id, boot]) => found.get(id) !== boot)).toEqual([]);
  expect(found.size).toBe(events.length);
  expect(new Set(events.map(({ boot, seq }) => `${boot}/${seq}`)).size).toBe(events.length);
  // In the order of the appends, and numbers go on without a gap: what a kill took was never numbered.
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
  expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).toSorted((a, b) => a - b));
  await rm(folder, { recursive: true });
}, 180_000);

test("nothing is given up unnoticed, however often a full outbox is killed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "outbox-kill-full-"));
  const maxEvents = 300;
  let first = 0;
  for (let round = 0; round < 5; round++) {
    const { ids } = await writeUntilKilled(folder, first, maxEvents);
    first = Math.max(first, ...ids) + 1_000;
  }
  const outbox = await SqliteOutbox.open({ folder, log: recordedLog(), maxEvents });
  const events = await stored(outbox);
  await outbox.close();
  const gaps = events.filter((event) => event.type === "outbox_gap");
  const lost = gaps.flatMap((gap) => Object.values(gap.lost)).reduce((sum, n) => sum + n, 0);
  expect(lost).toBeGreaterThan(0);
  // Every number was either an event that is there, or one that a gap tells of.
  expect(events.length + lost).toBe((events.at(-1)?.seq ?? 0) + 1);
  await rm(folder, { recursive: true });
}, 180_000);
