/** A process that takes rehearsals until it is killed: for tests of what becomes of its job then. */
import { createLogger } from "@huishi/platform";
import { FaultLog } from "../application/fault-log.ts";
import { startRehearsals } from "../compose-rehearsals.ts";

const logger = createLogger({ name: "rehearsal-process", level: "silent" });
startRehearsals({
  databaseUrl: process.env["DATABASE_URL"] ?? "",
  logger,
  faults: new FaultLog(logger),
  sampleFps: 5,
});
// The timers of idle workers hold nothing back; the process stays until somebody ends it.
setInterval(() => undefined, 60_000);
