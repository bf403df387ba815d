// Runs the edge agent as a process of its own: `node main.js CONFIG.json`. Secrets are in that file, never in
// the arguments. Tells its parent over IPC when it is ready, and ends when the parent goes away.
import { HuishiError, messageOf } from "@huishi/kernel";
import { createLogger } from "@huishi/platform";
import { startEdgeAgent } from "./compose.ts";
import { loadConfig, withEnvironment } from "./config.ts";

const logger = createLogger({ name: "edge-agent" });
const stop = new AbortController();

async function main(): Promise<void> {
  const file = process.argv[2];
  if (file === undefined) throw new HuishiError("CONFIG_INVALID", "usage: main.js CONFIG.json");
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort(new Error(name)));
  process.once("disconnect", () => stop.abort(new Error("the parent process is gone")));
  const config = withEnvironment(await loadConfig(file), process.env);
  const agent = await startEdgeAgent({ ...config, logger, signal: stop.signal });
  tellParent({ ready: true, agentId: agent.agentId });
  if (!stop.signal.aborted) {
    await new Promise<void>((resolve) =>
      stop.signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  }
  logger.info({ why: messageOf(stop.signal.reason) }, "edge agent stops");
  await agent.close();
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
