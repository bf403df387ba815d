import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger, EmbeddedPostgres } from "@huishi/platform";
import type { TestProject } from "vitest/node";
import { dropTemplate, makeTemplate } from "./template-database.ts";

declare module "vitest" {
  export interface ProvidedContext {
    huishiDatabaseServer: { adminUrl: string; template: string };
  }
}

/**
 * One real PostgreSQL for a whole run: TEST_DATABASE_URL (a superuser's), else the embedded one. It holds a
 * migrated template, of which every `testDatabase()` is a copy.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const logger = createLogger({ name: "testkit", level: "warn" });
  const external = process.env["TEST_DATABASE_URL"];
  const folder = external ? null : await mkdtemp(path.join(tmpdir(), "huishi-test-"));
  const server = folder
    ? await EmbeddedPostgres.start({
        dataDir: path.join(folder, "database"),
        logger,
        settings: { max_connections: "200" },
      })
    : null;
  const adminUrl = external ?? (server as EmbeddedPostgres).databaseUrl;
  const template = await makeTemplate(adminUrl, logger);
  project.provide("huishiDatabaseServer", { adminUrl, template });
  return async () => {
    if (external) await dropTemplate(adminUrl, template);
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  };
}
