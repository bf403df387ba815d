/** Runs the api alone (tests of faults, several machines). Live pictures need the process that also runs ingest. */
import { messageOf } from "@huishi/kernel";
import { createLogger, InProcessMediaBus, migrate, Shutdown } from "@huishi/platform";
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
  await migrate(config.databaseUrl, logger);
  const { publicOrigin, tls, ...rest } = config;
  const api = await startApi({
    ...rest,
    ...(publicOrigin === null ? {} : { publicOrigin }),
    ...(tls === null ? {} : { tls }),
    mediaBus: new InProcessMediaBus({ logger }),
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
