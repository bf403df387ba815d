import { createPool, type Pool } from "@huishi/platform";
import { inject } from "vitest";
import { cloneTemplate, dropDatabase, withDatabase } from "./template-database.ts";

export interface TestDatabase {
  readonly databaseUrl: string;
  readonly pool: Pool;
  /** Closes the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** A fresh, empty, migrated database on a real PostgreSQL, of this test alone. */
export async function testDatabase(): Promise<TestDatabase> {
  const { adminUrl, template } = inject("huishiDatabaseServer");
  const database = await cloneTemplate(adminUrl, template);
  const databaseUrl = withDatabase(adminUrl, database);
  const pool = createPool(databaseUrl, { max: 4, applicationName: "huishi-test" });
  return {
    databaseUrl,
    pool,
    async drop() {
      await pool.end();
      await dropDatabase(adminUrl, database);
    },
  };
}
