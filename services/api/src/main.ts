/** Runs the api alone. Live pictures come from ingest over NATS, where that is configured (HUISHI_NATS_URL). */
import { messageOf } from "@huishi/kernel";
import { createLogger, Metrics, migrate, openMediaBus, readMediaBusConfig, Shutdown } from "@huishi/platform";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { startApi } from "./compose.ts";
import { readConfig } from "./config.ts";

const logger = createLogger({ name: "api" });
const shutdown = new Shutdown(logger);
shutdown.onSignals();
try {
  // The same folders seen from src/ and from dist/.
  const config = readConfig(process.env, fileURLToPath(new URL("../../../dashboard/dist", import.meta.url)));
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const mediaConfig = readMediaBusConfig(process.env);
  await migrate(config.databaseUrl, logger);
  const media = await openMediaBus(mediaConfig, { service: "api", logger });
  shutdown.add("media bus", () => media.close());
  const mediaMetrics = new Metrics();
  media.show(mediaMetrics);
  const { publicOrigin, tls, ...rest } = config;
  const api = await startApi({
    ...rest,
    ...(publicOrigin === null ? {} : { publicOrigin }),
    ...(tls === null ? {} : { tls }),
    mediaBus: media.bus,
    health: () => media.health(),
    otherMetrics: [mediaMetrics],
    logger,
    version,
  });
  shutdown.add("api", () => api.close());
} catch (err) {
  logger.fatal({ err }, "the api cannot start");
  process.stderr.write(`${messageOf(err)}\n`);
  await shutdown.run();
  process.exitCode = 1;
}
