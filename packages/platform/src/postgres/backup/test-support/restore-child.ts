// A restore in a process of its own, for the test that kills it. Arguments: archive. DATABASE_URL: the target.
import { createLogger } from "../../../logger.ts";
import { restoreBackup } from "../restore.ts";

const nothing = async (): Promise<void> => {};
await restoreBackup({
  databaseUrl: process.env["DATABASE_URL"] ?? "",
  file: process.argv[2] ?? "",
  passphrase: null,
  files: { stage: nothing, publish: nothing, discard: nothing },
  logger: createLogger({ name: "test", level: "silent" }),
  onProgress: ({ phase, bytes }) => {
    if (phase === "load" && bytes > 0) process.send?.("loading");
  },
});
process.send?.("done");
process.disconnect?.();
