import { HuishiError } from "@huishi/kernel";
import { createLogger, Metrics, migrate, openMediaBus, Shutdown, startHealthServer } from "@huishi/platform";
import { startAnalytics } from "./compose.ts";
import { readConfig } from "./config.ts";

/** Analytics by itself: pictures come over NATS, and the cameras are shared with other processes by leases. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger({ name: "analytics", level: config.logLevel });
  const shutdown = new Shutdown(logger);
  shutdown.onSignals();
  await migrate(config.databaseUrl, logger);
  const media = await openMediaBus(config.mediaBus, { service: "analytics", logger });
  shutdown.add("media bus", () => media.close());
  const metrics = new Metrics();
  media.show(metrics);
  const analytics = await startAnalytics({
    ...config,
    mediaBus: media.bus,
    logger,
    registry: metrics.registry,
  });
  shutdown.add("analytics", () => analytics.close());
  const healthServer = await startHealthServer({
    host: config.healthHost,
    port: config.healthPort,
    health: async () => [...(await analytics.health()), ...media.health()],
    metrics,
  });
  shutdown.add("health server", () => healthServer.close());
  // For the parent that forked us.
  process.send?.({ t: "started", healthPort: healthServer.port });
}

try {
  await main();
} catch (thrown) {
  const said = thrown instanceof HuishiError ? `${thrown.code}: ${thrown.message}` : String(thrown);
  process.stderr.write(`${said}\n`);
  process.exit(1);
}
