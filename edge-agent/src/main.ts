// Runs the edge agent as a process of its own: `node main.js CONFIG.json`. Secrets are in that file, never in
// the arguments. Tells its parent over IPC when it is ready, and ends when the parent goes away.
import { HuishiError, messageOf } from "@huishi/kernel";
import { createLogger } from "@huishi/platform";
import { join } from "node:path";
import { LogFiles } from "./adapters/log-files/log-files.ts";
import { startEdgeAgent } from "./compose.ts";
import { type EdgeAgentConfig, loadConfig, withEnvironment } from "./config.ts";
import { EdgeError } from "./domain/faults.ts";

let logger = createLogger({ name: "edge-agent" });
const stop = new AbortController();

async function main(): Promise<void> {
  const file = process.argv[2];
  if (file === undefined) throw new HuishiError("CONFIG_INVALID", "usage: main.js CONFIG.json");
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort(new Error(name)));
  process.once("disconnect", () => stop.abort(new Error("the parent process is gone")));
  const config = withEnvironment(await loadConfig(file), process.env);
  const logs = openLogs(config);
  const agent = await startEdgeAgent({ ...config, logger, logs, signal: stop.signal });
  tellParent({ ready: true, agentId: agent.agentId });
  if (!stop.signal.aborted) {
    await new Promise<void>((resolve) =>
      stop.signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  }
  logger.info({ why: messageOf(stop.signal.reason) }, "edge agent stops");
  await agent.close();
  await logs.close();
}

/** From here on the log goes into files of the state folder as well. */
function openLogs({ stateDir, logMaxBytes }: EdgeAgentConfig): LogFiles {
  let logs: LogFiles;
  try {
    logs = new LogFiles(join(stateDir, "logs"), logMaxBytes);
  } catch (cause) {
    throw new EdgeError("STATE_DIR", `the folder ${stateDir} cannot be written`, { cause });
  }
  const write = (line: string): void => {
    process.stdout.write(line);
    logs.write(line);
  };
  logger = createLogger({ name: "edge-agent", destination: { write } });
  return logs;
}

function tellParent(message: object): void {
  if (process.connected) process.send?.(message);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    if (stop.signal.aborted) process.exit(0);
    const code = error instanceof HuishiError ? error.code : "INTERNAL";
    logger.fatal({ err: error, code }, "edge agent cannot run");
    tellParent({ error: { code, message: messageOf(error) } });
    process.exit(1);
  },
);
