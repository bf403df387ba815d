// A process that writes to an outbox until it is killed: FOLDER FIRST MAX_EVENTS. Every append that resolved is told on stdout.
import { SqliteOutbox } from "../adapters/sqlite-outbox/sqlite-outbox.ts";
import { alarm, motion } from "./outbox-contract.ts";

const [folder = "", first = "0", maxEvents = "1000000"] = process.argv.slice(2);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const outbox = await SqliteOutbox.open({ folder, log: silent, maxEvents: Number(maxEvents) });
process.stdout.write(`boot ${outbox.boot}\n`);
let next = Number(first);
/** Singly and in groups of any size. */
async function writer(): Promise<void> {
  for (;;) {
    const id = next++;
    // A full outbox is left with room below severity 3, so that no gap event is given up itself.
    await outbox.append((id % 10 === 0 && maxEvents === "1000000" ? alarm : motion)(id), id);
    process.stdout.write(`${id}\n`);
    if (Math.random() < 0.3) await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
  }
}
await Promise.all(Array.from({ length: 20 }, writer));
