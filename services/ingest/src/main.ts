import { HuishiError } from "@huishi/kernel";
import {
  createLogger,
  migrate,
  openMediaBus,
  type PartHealth,
  readMediaBusConfig,
  Shutdown,
  startHealthServer,
} from "@huishi/platform";
import { startIngest } from "./compose.ts";
import { readConfig } from "./config.ts";

/** Ingest by itself: media goes to the other services over NATS, where that is configured; else none is asked for. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const mediaConfig = readMediaBusConfig(process.env);
  const logger = createLogger({ name: "ingest", level: config.logLevel });
  await migrate(config.databaseUrl, logger);
  const shutdown = new Shutdown(logger);
  const media = await openMediaBus(mediaConfig, { service: "ingest", logger });
  shutdown.add("media bus", () => media.close());
  const ingest = await startIngest({ ...config, mediaBus: media.bus, logger });
  shutdown.add("ingest", () => ingest.close());
  const { healthHost, healthPort } = config;
  const { metrics } = ingest;
  media.show(metrics);
  const health = async (): Promise<readonly PartHealth[]> => [...(await ingest.health()), ...media.health()];
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
