import { HuishiError } from "@huishi/kernel";
import { createLogger, InProcessMediaBus, migrate, Shutdown, startHealthServer } from "@huishi/platform";
import { startIngest } from "./compose.ts";
import { readConfig } from "./config.ts";

/** Ingest by itself: without the other services in its process nobody watches media, and none is asked for. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger({ name: "ingest", level: config.logLevel });
  await migrate(config.databaseUrl, logger);
  const ingest = await startIngest({ ...config, mediaBus: new InProcessMediaBus({ logger }), logger });
  const shutdown = new Shutdown(logger);
  shutdown.add("ingest", () => ingest.close());
  const { healthHost, healthPort } = config;
  const { health, metrics } = ingest;
  const healthServer = await startHealthServer({ host: healthHost, port: healthPort, health, metrics });
  shutdown.add("health server", () => healthServer.close());
  shutdown.onSignals();
  // For the parent that forked us.
  process.send?.({ t: "listening", port: ingest.port, healthPort: healthServer.port });
}

try {
  await main();
} catch (thrown) {
  const said = thrown instanceof HuishiError ? `${thrown.code}: ${thrown.message}` : String(thrown);
  process.stderr.write(`${said}\n`);
  process.exit(1);
}
