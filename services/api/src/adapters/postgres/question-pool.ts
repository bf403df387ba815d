import { createPool, type Logger, type Pool } from "@huishi/platform";

const LONGEST_QUESTION_MS = 5_000;

/**
 * Connections for questions over series, apart from those that move alarms: whatever somebody asks of a year of counts,
 * an acknowledgement finds a free connection. A question that takes longer than 5 s is ended (QUESTION_TOO_HEAVY).
 */
export function createQuestionPool(
  databaseUrl: string,
  options: { max?: number; logger?: Logger } = {},
): Pool {
  const pool = createPool(databaseUrl, {
    max: options.max ?? 4,
    applicationName: "huishi-api-questions",
    statementTimeoutMs: LONGEST_QUESTION_MS,
    ...(options.logger ? { logger: options.logger } : {}),
  });
  // Many partitions make a plan look dear; compiling it takes longer than the question. Queued before its first one; a
  // connection that breaks here fails that one too.
  pool.on("connect", (client) => void client.query("SET jit = off").catch(() => {}));
  return pool;
}
