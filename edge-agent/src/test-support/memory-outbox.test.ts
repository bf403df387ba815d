import { MemoryOutbox, emptyDisk } from "./memory-outbox.ts";
import { outboxContract } from "./outbox-contract.ts";

let disk = emptyDisk();
outboxContract("MemoryOutbox", {
  open: async (options) => new MemoryOutbox(disk, options?.maxEvents),
  clear: async () => void (disk = emptyDisk()),
});
