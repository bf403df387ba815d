import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { outboxContract } from "../../test-support/outbox-contract.ts";
import { SqliteOutbox } from "./sqlite-outbox.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const parent = await mkdtemp(join(tmpdir(), "outbox-"));
const folder = join(parent, "outbox");
afterAll(() => rm(parent, { recursive: true, force: true }));

outboxContract("SqliteOutbox", {
  open: (options) => SqliteOutbox.open({ folder, log: silent, gapDelayMs: 3_600_000, ...options }),
  clear: () => rm(folder, { recursive: true, force: true }),
});
