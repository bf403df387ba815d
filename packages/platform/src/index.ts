export * from "./logger.ts";
export * from "./postgres/database-errors.ts";
export * from "./postgres/pool.ts";
export * from "./postgres/migrate.ts";
export { type DatabaseMode } from "./postgres/timescale.ts";
