import { randomBytes } from "node:crypto";
import { createPool, type Logger, migrate } from "@huishi/platform";

/** The same server, another database. */
export function withDatabase(databaseUrl: string, database: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `/${database}`;
  return url.href;
}

const freshName = (kind: string): string => `huishi_${kind}_${randomBytes(6).toString("hex")}`;

/** Runs one statement as the server's administrator. */
async function administer(adminUrl: string, sql: string): Promise<void> {
  const pool = createPool(adminUrl, {
    max: 1,
    applicationName: "huishi-testkit",
    statementTimeoutMs: 60_000,
  });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}

/** Makes an empty database with the newest schema and returns its name. */
export async function makeTemplate(adminUrl: string, logger: Logger): Promise<string> {
  const template = freshName("template");
  await administer(adminUrl, `CREATE DATABASE ${template}`);
  await migrate(withDatabase(adminUrl, template), logger);
  return template;
}

export async function dropTemplate(adminUrl: string, template: string): Promise<void> {
  await administer(adminUrl, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
}

/** Makes a copy of the template and returns its name. */
export async function cloneTemplate(adminUrl: string, template: string): Promise<string> {
  const database = freshName("test");
  await administer(adminUrl, `CREATE DATABASE ${database} TEMPLATE ${template}`);
  return database;
}

export async function dropDatabase(adminUrl: string, database: string): Promise<void> {
  await administer(adminUrl, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
}
